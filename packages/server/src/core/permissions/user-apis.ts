import type { Grant } from './model.ts';

/** What a user's login at the PBX may use, whatever the App object has (AW §3.8, PBX §1 row 3). */
export const USER_LOGIN_APIS: readonly Grant[] = ['PbxApi', 'PbxSignal', 'EpSignal', 'PbxMessages', 'RCC'];
