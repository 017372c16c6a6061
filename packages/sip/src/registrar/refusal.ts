/** A REGISTER that is answered with an error; `headers` are added to the answer. */
export class RegisterRefusal extends Error {
  override readonly name = 'RegisterRefusal';
  readonly code = 'register-refused';
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string | number])[];

  constructor(
    status: number,
    reason?: string,
    headers: readonly (readonly [name: string, value: string | number])[] = [],
  ) {
    super(`${status} ${reason ?? ''}`);
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}
