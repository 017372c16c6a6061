// Writes docs/configuration.md: node --conditions=source packages/server/src/config/write-document.ts
import { writeFileSync } from 'node:fs';
import { settingsDocument } from './document.ts';

writeFileSync(new URL('../../../../docs/configuration.md', import.meta.url), settingsDocument());
