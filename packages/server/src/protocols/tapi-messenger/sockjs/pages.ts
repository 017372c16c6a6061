import { createHash } from 'node:crypto';

/** Bodies that the SockJS protocol fixes to the letter (TM SJ-20, SJ-22, §2.5). */

export const greeting = 'Welcome to SockJS!\n';

/** 2,048 octets that make browsers hand out what follows without waiting for more. */
export const streamingPrelude = `${'h'.repeat(2048)}\n`;

export interface IframePage {
  readonly body: string;
  readonly etag: string;
}

export function iframePage(clientUrl: string): IframePage {
  const body = `<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="${attribute(clientUrl)}"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>`;
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

/** `callback` has been checked (TM SJ-40). Padded beyond 1,024 octets, from which old browsers begin to show a page. */
export function htmlfilePrelude(callback: string): string {
  const head = `<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.${callback};
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>`;
  return `${head.padEnd(1025, ' ')}\r\n\r\n`;
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
