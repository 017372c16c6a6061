// Reads the constants of one file and what their comments say: a reason, `@peer`, `@test`.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

export interface Constant {
  readonly name: string;
  readonly file: string;
  /** As it stands in the code. */
  readonly value: string;
  readonly reason: string;
  readonly peer: string;
  readonly test: string;
}

/** Constants of a module, and members of an object of defaults whose type says more of them. */
export function readConstants(root: string, file: string): readonly Constant[] {
  const source = ts.createSourceFile(file, readFileSync(`${root}/${file}`, 'utf8'), ts.ScriptTarget.Latest, true);
  const types = new Map<string, ts.InterfaceDeclaration>();
  for (const node of source.statements) if (ts.isInterfaceDeclaration(node)) types.set(node.name.text, node);
  return source.statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name, type, initializer }) => {
      if (!ts.isIdentifier(name) || initializer === undefined) return [];
      const members = types.get(type?.getText() ?? '')?.members ?? [];
      if (ts.isObjectLiteralExpression(initializer)) {
        const own = said(statement).peer === '' ? [] : [{ name: name.text, file, value: valueOf(initializer), ...said(statement) }]; // prettier-ignore
        return [...own, ...defaults(initializer, [...members], file)];
      }
      if (!/^[A-Z][A-Z0-9_]+$/.test(name.text)) return [];
      return [{ name: name.text, file, value: valueOf(initializer), ...said(statement) }];
    });
  });
}

function defaults(
  { properties }: ts.ObjectLiteralExpression,
  members: readonly ts.TypeElement[],
  file: string,
): readonly Constant[] {
  return properties.flatMap((property) => {
    if (!ts.isPropertyAssignment(property)) return [];
    const name = property.name.getText();
    const member = members.find((m) => m.name?.getText() === name);
    const own = said(property);
    const about = { ...own, reason: member === undefined ? own.reason : said(member).reason };
    return about.peer === '' ? [] : [{ name, file, value: valueOf(property.initializer), ...about }];
  });
}

function valueOf(node: ts.Expression): string {
  return node.getText().replace(/ as const$/, '').replace(/\s+/g, ' '); // prettier-ignore
}

/** The last comment before `node`, in its parts. */
function said(node: ts.Node): Pick<Constant, 'reason' | 'peer' | 'test'> {
  const text = node.getSourceFile().text.slice(node.getFullStart(), node.getStart());
  const comment = [...text.matchAll(/\/\*\*([\s\S]*?)\*\//g)].at(-1)?.[1] ?? '';
  const [reason = '', ...tags] = comment.replace(/^\s*\*/gm, '').replace(/\s+/g, ' ').trim().split(/\s*@(?=peer |test )/); // prettier-ignore
  const tag = (name: string): string => tags.find((t) => t.startsWith(`${name} `))?.slice(name.length + 1).trim() ?? ''; // prettier-ignore
  return { reason, peer: tag('peer'), test: tag('test') };
}
