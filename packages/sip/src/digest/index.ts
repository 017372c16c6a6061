export { algorithmOf, digestHa1, digestHash, digestResponse, ha1Of, hashOf } from './algorithms.ts';
export type { DigestAlgorithm, DigestHash, DigestInput, DigestQop, DigestSecret } from './algorithms.ts';
export { DigestClient, MAX_REALMS } from './client.ts';
export type { DigestAnswer, DigestClientOptions, DigestCredentials } from './client.ts';
export { MAX_NONCES } from './nonces.ts';
export { DigestServer } from './server.ts';
export type { DigestRole, DigestServerOptions, DigestVerdict } from './server.ts';
