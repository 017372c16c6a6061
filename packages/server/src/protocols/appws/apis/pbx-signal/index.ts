import type { Api } from '../../api.ts';
import type { AppWsParts } from '../../parts.ts';
import { PresenceSigs } from './presence-sigs.ts';
import { PbxSignalSession } from './session.ts';
import { Signalings } from './shared-sig.ts';

/** PbxSignal: registration of devices, chat calls and calls between them (PBX §2, §3). */
export function createPbxSignal(parts: AppWsParts): Api {
  const shared = { parts, presenceSigs: new PresenceSigs(), signalings: new Signalings() };
  return { name: 'PbxSignal', open: (channel, who) => new PbxSignalSession(shared, channel, who) };
}
