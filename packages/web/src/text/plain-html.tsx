import { createElement, Fragment, type ReactNode } from 'react';
import { LinkedText } from './linked-text.tsx';

/**
 * The plain-HTML rule (design §6) once more on this side: these elements, no attributes, and nothing of what stands in the
 * dropped ones. The markup is parsed into an inert document and rebuilt as React elements; it never becomes part of the page
 * as it came.
 */
const KEPT: ReadonlySet<string> = new Set(
  'b strong i em u s p br div ul ol li dl dt dd table tr td th code pre blockquote'.split(' '),
);
const DROPPED: ReadonlySet<string> = new Set(
  'script style iframe object embed svg math template noscript textarea title head'.split(' '),
);
/** Deeper elements lose their tags: nesting is the sender's to grow. */
const MAX_DEPTH = 64;
/** More elements than any message has that somebody wrote; the rest is shown as text. */
const MAX_ELEMENTS = 2_000;

/** The part of a DOM node that is read. */
export interface MarkupNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly childNodes: Iterable<MarkupNode>;
}

const ELEMENT = 1;
const TEXT = 3;

export type Piece = string | { readonly tag: string; readonly pieces: readonly Piece[] };

/** What of a parsed document may be shown. */
export function allowedPieces(root: MarkupNode): readonly Piece[] {
  let elements = 0;
  const walk = (node: MarkupNode, depth: number): readonly Piece[] => {
    if (node.nodeType === TEXT) return node.nodeValue === null || node.nodeValue === '' ? [] : [node.nodeValue];
    if (node.nodeType !== ELEMENT) return [];
    const tag = node.nodeName.toLowerCase();
    if (DROPPED.has(tag)) return [];
    const isKept = KEPT.has(tag) && depth < MAX_DEPTH && ++elements <= MAX_ELEMENTS;
    const pieces = [...node.childNodes].flatMap((child) => walk(child, depth + 1));
    return isKept ? [{ tag, pieces }] : pieces;
  };
  return [...root.childNodes].flatMap((child) => walk(child, 0));
}

export function PlainHtml({ html }: { readonly html: string }): ReactNode {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  return <>{allowedPieces(body).map(elementOf)}</>;
}

function elementOf(piece: Piece, index: number): ReactNode {
  if (typeof piece === 'string')
    return (
      <Fragment key={index}>
        <LinkedText text={piece} />
      </Fragment>
    );
  if (piece.tag === 'br') return <br key={index} />;
  return createElement(piece.tag, { key: index }, ...piece.pieces.map(elementOf));
}
