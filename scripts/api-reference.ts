// Writes the API reference of a package from its doc comments. Usage: node scripts/api-reference.ts packages/appwebsocket
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as prettier from 'prettier';
import ts from 'typescript';

const ROOT = path.join(import.meta.dirname, '..');

interface Entry {
  readonly name: string;
  readonly group: string;
  readonly text: string;
}

/** Where the reference of a package lies. */
export function referenceFile(folder: string): string {
  return path.join(ROOT, 'docs/api', `${path.basename(folder)}.md`);
}

/** The reference of a package as Markdown: everything that its `src/index.ts` exports, by folder and name. */
export async function apiReference(folder: string): Promise<string> {
  const source = path.join(ROOT, folder, 'src');
  const entries = entriesOf(path.join(ROOT, folder), source);
  const { name } = JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8')) as { name: string };
  const groups = [...new Set(entries.map(({ group }) => group))].sort();
  const sections = groups.map((group) => {
    const members = entries.filter((entry) => entry.group === group).sort((a, b) => (a.name < b.name ? -1 : 1));
    return `## ${group}\n\n${members.map(({ text }) => text).join('\n\n')}`;
  });
  const contents = groups.map((group) => {
    const names = entries.filter((entry) => entry.group === group).map((entry) => entry.name);
    return `- **${group}**: ${names
      .sort()
      .map((member) => `[${member}](#${member.toLowerCase()})`)
      .join(', ')}`;
  });
  const head = `# ${name}: API reference\n\nMade from the doc comments by \`node scripts/api-reference.ts ${folder}\`; don't edit it here.\n`;
  const text = `${head}\n${contents.join('\n')}\n\n${sections.join('\n\n')}\n`;
  return prettier.format(text, { parser: 'markdown', printWidth: 120, singleQuote: true, trailingComma: 'all' });
}

function entriesOf(folder: string, source: string): readonly Entry[] {
  const configFile = path.join(folder, 'tsconfig.json');
  const config = ts.getParsedCommandLineOfConfigFile(
    configFile,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => fail(`cannot read ${configFile}`) },
  );
  const program = ts.createProgram([path.join(source, 'index.ts')], config?.options ?? {});
  const checker = program.getTypeChecker();
  const index = program.getSourceFile(path.join(source, 'index.ts')) ?? fail('no src/index.ts');
  const module = checker.getSymbolAtLocation(index) ?? fail('src/index.ts exports nothing');
  return checker.getExportsOfModule(module).flatMap((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declarations = (target.declarations ?? []).filter((node) => !isInternal(node));
    const [first] = declarations;
    if (first === undefined) return [];
    const group = path.dirname(path.relative(source, first.getSourceFile().fileName)).split(path.sep)[0] ?? '';
    return [{ name: symbol.name, group, text: entryText(symbol.name, declarations) }];
  });
}

function fail(reason: string): never {
  throw new Error(reason);
}

const isInternal = (node: ts.Node): boolean => ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'internal');

function entryText(name: string, declarations: readonly ts.Declaration[]): string {
  const signatures = declarations.map(signatureOf).filter((text) => text !== '');
  const documented = declarations.map((node) => documentation(documentedNode(node))).find((text) => text !== '') ?? '';
  const members = declarations.flatMap((node) => (ts.isClassDeclaration(node) ? membersOf(node) : []));
  return [`### ${name}`, documented, '```ts', ...signatures, '```', ...members]
    .filter((part) => part !== '')
    .join('\n\n')
    .replace(/```ts\n\n/g, '```ts\n')
    .replace(/\n\n```/g, '\n```');
}

/** The comment of a constant belongs to its statement. */
function documentedNode(node: ts.Node): ts.Node {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node;
}

/** Text of the comment, its examples as code. */
function documentation(node: ts.Node): string {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return comments
    .map((comment) => {
      const tags = (comment.tags ?? []).map((tag) => {
        const text = ts.getTextOfJSDocComment(tag.comment) ?? '';
        if (tag.tagName.text === 'example') return `\n\`\`\`ts\n${text.trim()}\n\`\`\``;
        return ts.isJSDocParameterTag(tag) ? `\n\`${tag.name.getText()}\`: ${text.trim()}` : '';
      });
      return [prose(ts.getTextOfJSDocComment(comment.comment) ?? ''), ...tags].join('\n').trim();
    })
    .join('\n\n');
}

const prose = (text: string): string => text.replace(/\{@link ([^}\s|]+)[^}]*\}/g, '`$1`');

/** A declaration without its body. */
function signatureOf(node: ts.Declaration): string {
  if (ts.isFunctionDeclaration(node)) return withoutBody(node, node.body);
  if (ts.isClassDeclaration(node))
    return `${node.getText().slice(0, node.getText().indexOf('{'))}{ … }`.replace(/^export /, '');
  if (ts.isVariableDeclaration(node)) {
    const type = node.type === undefined ? '' : `: ${node.type.getText()}`;
    const value = (node.initializer?.getText() ?? '').replace(/\s*\/\*\*[\s\S]*?\*\//g, '');
    return `const ${node.name.getText()}${type}${value.length > 0 && value.length < 400 ? ` = ${value}` : ''};`;
  }
  return node
    .getText()
    .replace(/^export /, '')
    .replace(/^\s*\/\*\* @internal.*\n.*\n/gm, '');
}

function withoutBody(node: ts.FunctionLikeDeclaration, body: ts.Node | undefined): string {
  const text = node.getText();
  const signature = body === undefined ? text : text.slice(0, body.getStart() - node.getStart());
  return `${signature
    .trim()
    .replace(/^export /, '')
    .replace(/^async /, '')
    .replace(/;$/, '')};`;
}

/** Public members of a class with their comments; overloads hide their implementation. */
function membersOf(node: ts.ClassDeclaration): readonly string[] {
  const members = node.members.filter((member) => isPublic(member) && !isInternal(member));
  const overloaded = new Set(
    members.flatMap((m) => (ts.isMethodDeclaration(m) && m.body === undefined ? [m.name.getText()] : [])),
  );
  const shown = members.filter(
    (m) => !(ts.isMethodDeclaration(m) && m.body !== undefined && overloaded.has(m.name.getText())),
  );
  return shown.map((member) => {
    const text = memberSignature(member);
    return [`\`\`\`ts\n${text.replace(/\n {2}/g, '\n')}\n\`\`\``, documentation(member)]
      .filter((part) => part !== '')
      .join('\n\n');
  });
}

function isPublic(member: ts.ClassElement): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false;
  const flags = ts.getCombinedModifierFlags(member);
  return (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) === 0;
}

function memberSignature(member: ts.ClassElement): string {
  if (ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)) return withoutBody(member, member.body);
  if (ts.isGetAccessorDeclaration(member)) return withoutBody(member, member.body);
  if (!ts.isPropertyDeclaration(member)) return member.getText();
  const { initializer } = member;
  const text = member.getText();
  if (initializer === undefined) return text;
  const isShort = initializer.getText().length < 40;
  if (isShort) return text;
  const head = text.slice(0, initializer.getStart() - member.getStart()).replace(/\s*=\s*$/, '');
  return ts.isArrowFunction(initializer)
    ? `${head}: ${initializer
        .getText()
        .slice(0, initializer.equalsGreaterThanToken.getStart() - initializer.getStart())
        .trim()
        .replace(/\): ([^)]*)$/, ') => $1')};`
    : `${head};`;
}

if (process.argv[1] === import.meta.filename) {
  const folder = (process.argv[2] ?? 'packages/appwebsocket').replace(/\/+$/, '');
  mkdirSync(path.join(ROOT, 'docs/api'), { recursive: true });
  writeFileSync(referenceFile(folder), await apiReference(folder));
}
