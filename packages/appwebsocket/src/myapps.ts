/** For pages and clients of myApps (AW §3.9): the login from the window around a page, and the digests of protocol E. */
export * from './crypto/myapps.ts';
export { loginFromMyApps } from './session/login-from-myapps.ts';
export type { AppWindow } from './session/login-from-myapps.ts';
