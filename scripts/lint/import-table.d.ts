/** The reason why `from` may not import `to` (paths below packages/server/src). */
export function refusal(from: string, to: string): string | undefined;
/** The reason why a file of the server may not import a package. */
export function driverRefusal(from: string, specifier: string): string | undefined;
