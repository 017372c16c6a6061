// Writes docs/limits.md from the code: every named bound with its value and its reason. Usage: node scripts/limits-document.ts [--write]
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const FOLDERS = ['packages/server/src', 'packages/appwebsocket/src', 'packages/sip/src'];
const BOUND = /^(MAX|MIN)_|_(MS|BYTES|CHARS)$|^(DIAL_RATE|PAUSE_AT_BYTES)$/;

interface Bound {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}

/** The page, as it should be. */
export function limitsDocument(root: string): string {
  const parts = [
    '# Limits',
    '',
    'Everything that a peer can make grow, or wait for, has a bound. This page is made from the code (`node scripts/limits-document.ts --write`).',
    '',
  ];
  for (const folder of FOLDERS) {
    const files = globSync(`${folder}/**/*.ts`, { cwd: root }).filter(
      (f) => !f.includes('.test.') && !f.includes('/test/'),
    );
    for (const file of files.sort()) {
      const bounds = boundsOf(`${root}/${file}`);
      if (bounds.length === 0) continue;
      parts.push(`## ${file.slice('packages/'.length)}`, '', '| bound | value | why |', '|---|---|---|');
      for (const { name, value, reason } of bounds) parts.push(`| \`${name}\` | \`${value}\` | ${reason} |`);
      parts.push('');
    }
  }
  return parts.join('\n');
}

function boundsOf(file: string): readonly Bound[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const bounds: Bound[] = [];
  let reason = '';
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    const comments = ts.getJSDocCommentsAndTags(statement);
    const own = comments.map((c) => (typeof c.comment === 'string' ? c.comment : '')).join(' ');
    // Bounds on adjoining lines share the comment above them.
    if (/^\s*\n\s*\n/.test(statement.getFullText())) reason = '';
    if (own !== '') reason = own.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (!ts.isIdentifier(name) || initializer === undefined || !BOUND.test(name.text)) continue;
      bounds.push({ name: name.text, value: initializer.getText().replace(/\s+/g, ' '), reason });
    }
  }
  return bounds;
}

if (process.argv.includes('--write'))
  writeFileSync(
    new URL('../docs/limits.md', import.meta.url),
    limitsDocument(new URL('..', import.meta.url).pathname.replace(/\/$/, '')),
  );
