/** Bounds and times of a registrar. */
export interface RegistrarPolicy {
  /** Shorter wishes are refused with 423 (RFC 3261 10.3 step 7). */
  readonly minExpiresS: number;
  /** For requests that name no time. */
  readonly defaultExpiresS: number;
  /** Longer wishes get this. */
  readonly maxExpiresS: number;
  /** A person has a few phones, some with two flows each. */
  readonly maxBindingsPerAor: number;
  /** Contact, parameters, Path, Call-ID of one binding. With what holds them it stays under 8 KB. */
  readonly maxBindingBytes: number;
}

export const DEFAULT_POLICY: RegistrarPolicy = {
  /** @peer 423 @test registrar: step 7 */
  minExpiresS: 60,
  defaultExpiresS: 3600,
  /** @peer less time than it asked for @test registrar: times */
  maxExpiresS: 3600,
  /** @peer 403 @test registrar: bindings of one address */
  maxBindingsPerAor: 20,
  /** @peer 413 @test registrar: a binding that is too large */
  maxBindingBytes: 4096,
};
