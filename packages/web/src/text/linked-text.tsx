import type { ReactNode } from 'react';

/** A web address in running text; a closing bracket or full stop after it is not part of it. */
const ADDRESS = /(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}])/gi;

/** Text with its web addresses as links. */
export function LinkedText({ text }: { readonly text: string }): ReactNode {
  return text.split(ADDRESS).map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      <a key={index} href={part} target="_blank" rel="noopener noreferrer nofollow">
        {part}
      </a>
    ),
  );
}

/** An attachment's address as it may be linked: of this server, or http(s). */
export function safeUrl(url: string): string | null {
  if (/^https?:\/\//i.test(url)) return url;
  return /^\/(?!\/)/.test(url) ? url : null;
}
