import type { AppInfoAnswer, AppObject, Envelope } from '@tieline/appwebsocket';
import {
  answerText,
  AppObjectConnection,
  appObjectCredentials,
  issuedLoginText,
  issueServiceLogin,
  listedService,
  refusalText,
} from '@tieline/appwebsocket';

/** An App object, its APIs, and the objects ticked in its Apps tab. */
export interface LittleObject extends AppObject {
  readonly apis: readonly string[];
  readonly apps: readonly string[];
}

interface Line {
  readonly connection: AppObjectConnection;
  told: AppInfoAnswer | undefined;
  subscription: Envelope | undefined;
}

/** Just enough of a PBX for the examples: it connects to the app services of its App objects and offers them `Services`. */
export class LittlePbx implements AsyncDisposable {
  readonly node = { name: 'master', domain: 'example.com' };
  private readonly objects: readonly LittleObject[];
  private readonly lines = new Map<string, Line>();

  constructor(objects: readonly LittleObject[]) {
    this.objects = objects;
    for (const object of objects) this.connect(object);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.lines.values()].map(({ connection }) => connection.close()));
  }

  /** Names of the objects whose app service is connected. */
  get connected(): readonly string[] {
    return [...this.lines].filter(([, { connection }]) => connection.isConnected).map(([name]) => name);
  }

  private connect(object: LittleObject): void {
    const { domain, name: pbx } = this.node;
    const plan = () => ({
      url: object.url,
      credentials: appObjectCredentials(this.node, object),
      pbxInfo: { domain, pbx, pbxDns: `pbx.${domain}`, apis: object.apis, version: '14r1', build: '1410257' },
    });
    const connection = new AppObjectConnection(plan, {
      message: (envelope) => this.onMessage(object, envelope),
      appInfo: (told) => {
        const line = this.lines.get(object.name);
        if (line !== undefined) line.told = told;
        if (told === undefined && line !== undefined) line.subscription = undefined;
        for (const other of this.lines.keys()) this.tellServices(other);
      },
    });
    this.lines.set(object.name, { connection, told: undefined, subscription: undefined });
  }

  private onMessage(object: LittleObject, envelope: Envelope): void {
    const line = this.lines.get(object.name);
    const isGranted = envelope.api !== undefined && object.apis.includes(envelope.api);
    if (line === undefined) return;
    if (!isGranted) line.connection.send(refusalText(envelope, 'not allowed') ?? '{"mt":"KeepAlive"}');
    else if (envelope.mt === 'SubscribeServices') {
      line.subscription = envelope;
      line.connection.send(answerText(envelope));
      this.tellServices(object.name);
    } else if (envelope.mt === 'GetServiceLogin') line.connection.send(this.serviceLogin(object, envelope));
    else line.connection.send(refusalText(envelope, 'unknown message') ?? '{"mt":"KeepAlive"}');
  }

  private serviceLogin(requester: LittleObject, envelope: Envelope): string {
    const { app, challenge } = envelope.message;
    const target = this.objects.find(({ name }) => name === app && requester.apps.includes(name));
    const line = this.lines.get(requester.name);
    if (target === undefined || line === undefined)
      return answerText(envelope, { error: 1, errorText: 'no such service' });
    const login = issueServiceLogin({
      pbx: this.node,
      target,
      requester,
      challenge: String(challenge),
      requesterSessionKey: line.connection.sessionKey,
    });
    return issuedLoginText({ api: 'Services', mt: 'GetServiceLoginResult', src: envelope.src }, login);
  }

  /** The complete list, after the subscription and on every change (AW §6). */
  private tellServices(name: string): void {
    const line = this.lines.get(name);
    const object = this.objects.find((candidate) => candidate.name === name);
    if (line?.subscription === undefined || object === undefined) return;
    const visible = this.objects.filter((candidate) => object.apps.includes(candidate.name));
    const services = visible.map((candidate) => listedService(candidate, this.lines.get(candidate.name)?.told));
    const { src } = line.subscription;
    line.connection.send(JSON.stringify({ api: 'Services', mt: 'ServicesInfo', src, services }));
  }
}
