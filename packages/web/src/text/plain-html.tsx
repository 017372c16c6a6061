import { createElement, Fragment, type ReactNode } from 'react';
import { LinkedText } from './linked-text.tsx';
import { allowedPieces, type Piece } from './plain-markup.ts';

/** A message's HTML, reduced again and rebuilt as elements; it never becomes part of the page as it came. */
export function PlainHtml({ html }: { readonly html: string }): ReactNode {
  return <>{allowedPieces(html).map(elementOf)}</>;
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
