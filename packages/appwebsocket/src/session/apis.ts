import type { JsonObject } from '../wire/envelope.ts';

/** One request of an API: what goes out, what comes back, and what is told later under the same `src`. */
export interface Operation {
  readonly request: object;
  readonly result: object;
  readonly indication: object;
}

interface Op<Request extends object, Result extends object = object, Indication extends object = JsonObject> {
  readonly request: Request;
  readonly result: Result;
  readonly indication: Indication;
}

type None = Readonly<Record<string, never>>;
/** Exactly one way to name somebody. */
export type Target = { readonly sip: string } | { readonly num: string };

export interface PresenceItem {
  readonly contact: string;
  readonly status?: string;
  readonly activity?: string;
  readonly note?: string;
}

export type PresenceIndication =
  | {
      readonly mt: 'PresenceState';
      readonly up: boolean;
      readonly sip?: string;
      readonly num?: string;
      readonly dn?: string;
      readonly email?: string;
    }
  /** Newest first. */
  | { readonly mt: 'PresenceUpdate'; readonly presence: readonly PresenceItem[] };

export interface NodeInfo {
  readonly name?: string;
  readonly prefix_intl?: string;
  readonly prefix_ntl?: string;
  readonly prefix_subs?: string;
  readonly country_code?: string;
  readonly area_code?: string;
}

/** An app service as `ServicesInfo` lists it (AW §6.2). `info` is absent while it is not connected. */
export interface ListedService {
  readonly name: string;
  readonly title?: string;
  readonly url: string;
  readonly info?: { readonly apis?: Readonly<Record<string, JsonObject>> } | null;
}

export interface ServicesInfo {
  readonly mt: 'ServicesInfo';
  readonly services: readonly ListedService[];
}

export interface ServiceLoginResult {
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  readonly pbxObj: string;
  readonly app: string;
  readonly info?: JsonObject;
  readonly digest: string;
  readonly salt: string;
  readonly key: string;
}

export interface RccUserInfo {
  readonly mt: 'UserInfo';
  readonly update?: string;
  readonly guid: string;
  readonly cn: string;
  readonly dn?: string;
  readonly h323?: string;
  readonly e164?: string;
  readonly node?: string;
  readonly pbx?: string;
  readonly pseudo?: string;
  readonly regs?: readonly { readonly hw: string }[];
  readonly alert?: number;
  readonly channel?: number;
}

export interface RccConnector {
  readonly type?: string;
  readonly cn?: string;
  readonly dn?: string;
  readonly h323: string;
  readonly e164: string;
  readonly norm?: string;
}

export interface RccCallInfo {
  readonly mt: 'CallInfo';
  readonly user: number;
  readonly call: number;
  readonly conf?: string;
  /** Bit field: see PBX 6.4. */
  readonly state: number;
  readonly msg: string;
  readonly peer?: RccConnector;
  readonly no?: readonly RccConnector[];
  readonly time?: number;
  readonly dtmf?: string;
  readonly info?: readonly { readonly type: string; readonly vali?: number; readonly vals?: string }[];
  /** True in the last one of a call. */
  readonly del?: boolean;
}

type RccDestination = { readonly e164: string } | { readonly h323: string } | { readonly cn: string };

export interface Endpoint {
  readonly num?: string;
  readonly sip?: string;
  readonly flags?: string;
}

/** A `sig` object of PbxSignal and EpSignal (PBX 2.3). */
export interface Signal {
  readonly type: string;
  readonly bc?: string;
  readonly cg?: Endpoint;
  readonly cd?: Endpoint;
  readonly complete?: boolean;
  readonly channel?: number;
  readonly channels_cmd?: string;
  readonly channels?: JsonObject;
  readonly fty?: readonly (JsonObject & { readonly type: string })[];
  readonly cau?: { readonly loc?: number; readonly num: number };
  readonly uui?: string;
  readonly dsp?: string;
  readonly confId?: string;
  readonly callId?: string;
}

export interface Signaling {
  readonly mt: 'Signaling';
  readonly call: number;
  readonly sig: Signal;
}

export interface Registration {
  readonly stun?: string;
  readonly turn?: string;
  readonly turnUsr?: string;
  readonly turnPwd?: string;
  readonly prefixIntl?: string;
  readonly prefixNtl?: string;
  readonly prefixSubs?: string;
  readonly area?: string;
  readonly country?: string;
  readonly maxIntern?: number;
  readonly tones?: number;
}

export interface ChatSummary {
  readonly mt: 'ReadChatsInd';
  readonly sip: string;
  readonly dn?: string;
  readonly grp?: boolean;
  readonly timestamp?: number;
  readonly unread?: number;
}

export interface StoredMessage {
  readonly mt: 'ReadChatInd';
  readonly msg: {
    readonly id: number;
    readonly author: string;
    readonly dn?: string;
    readonly text: string;
    readonly timestamp: number;
    readonly attached?: readonly { readonly name: string; readonly url: string }[];
  };
}

type Columns = Readonly<Record<string, { readonly update?: boolean }>>;
/** One row of `PbxTableUsers` (PBX 7). */
export type TableRow = JsonObject & { readonly guid?: string };

export interface RowChange {
  readonly mt: 'ReplicateAdd' | 'ReplicateUpdate' | 'ReplicateDel' | 'ReplicateNextResult';
  readonly columns?: TableRow;
  readonly usn?: number;
}

export interface AdminObject {
  readonly guid?: string;
  readonly cn?: string;
  readonly dn?: string;
  readonly h323?: string;
  readonly e164?: string;
}

/**
 * The messages of the PBX APIs, by `api` and `mt`: what `request()`, `list()` and `subscribe()` check. Add your own:
 * @example declare module '@tieline/appwebsocket' { interface Apis { 'com.acme.hello': { Hello: { request: { name: string }; result: { text: string }; indication: object } } } }
 */
export interface Apis {
  PbxApi: {
    SubscribePresence: Op<Target, object, PresenceIndication>;
    UnsubscribePresence: Op<Target>;
    SetPresence: Op<
      ({ readonly sip: string } | { readonly guid: string }) & {
        readonly contact?: string;
        readonly activity?: string;
        readonly note?: string;
      }
    >;
    GetNodeInfo: Op<None, NodeInfo>;
    AddAlienCall: Op<None, { readonly id: number }>;
    DelAlienCall: Op<{ readonly id: number }>;
    AppNotify: Op<{ readonly sip: string; readonly title: string; readonly text: string; readonly link?: string }>;
  };
  PbxSignal: {
    Register: Op<{ readonly hw?: string; readonly flags?: string }, Registration, Signaling>;
  };
  EpSignal: {
    Attach: Op<{ readonly hw: string }, Registration, Signaling | { readonly mt: 'Attached' | 'Detached' }>;
  };
  PbxMessages: {
    Session: Op<{ readonly flags?: string }, { readonly session: number }>;
    ReadChats: Op<{ readonly topic: string; readonly unread?: boolean }, object, ChatSummary>;
    ReadChat: Op<
      {
        readonly topic: string;
        readonly sip: string;
        readonly older?: number;
        readonly count?: number;
        readonly noind?: boolean;
      },
      object,
      StoredMessage
    >;
    CreateFileBuffer: Op<{ readonly name: string }, { readonly id: number; readonly url: string }>;
    SetRead: Op<{ readonly id: number }, { readonly id: number }>;
    Delete: Op<{ readonly id: number }>;
  };
  RCC: {
    Initialize: Op<
      { readonly grp?: boolean; readonly limit?: number; readonly calls?: boolean },
      object,
      RccUserInfo | { readonly mt: 'CallAdd' | 'CallUpdate' | 'CallDel'; readonly call: number }
    >;
    Devices: Op<
      { readonly cn: string },
      { readonly devices: readonly { readonly hw: string; readonly text?: string }[] }
    >;
    UserInitialize: Op<
      { readonly cn: string; readonly hw?: string; readonly xfer?: boolean; readonly disc?: boolean },
      Registration & { readonly user: number },
      RccCallInfo
    >;
    UserEnd: Op<{ readonly user: number }>;
    UserCall: Op<
      RccDestination & { readonly user: number; readonly rc?: number; readonly srce164?: string },
      { readonly call: number }
    >;
    UserClear: Op<{ readonly call: number; readonly cause?: number }>;
    UserConnect: Op<{ readonly call: number }>;
    UserHold: Op<{ readonly call: number; readonly remote?: boolean }>;
    UserRetrieve: Op<{ readonly call: number }>;
    UserTransfer: Op<{ readonly a: number; readonly b: number }>;
    UserRedirect: Op<RccDestination & { readonly call: number; readonly rc?: number }>;
    UserReroute: Op<RccDestination & { readonly call: number }>;
    UserPickup: Op<{ readonly user: number; readonly call?: number; readonly cn?: string }, { readonly call: number }>;
    UserPark: Op<
      { readonly call: number; readonly cn?: string; readonly position?: number },
      { readonly call: number }
    >;
    UserDTMF: Op<{ readonly call: number; readonly dtmf: string; readonly recv?: boolean }>;
  };
  PbxTableUsers: {
    ReplicateStart: Op<
      {
        readonly columns: Columns;
        readonly add: boolean;
        readonly del: boolean;
        readonly pseudo?: readonly string[];
        readonly guid?: string;
        readonly usn?: number;
      },
      { readonly columns: Columns; readonly guid?: string; readonly usn?: number },
      RowChange
    >;
  };
  PbxAdminApi: {
    GetObject: Op<
      | { readonly guid: string; readonly properties?: readonly string[] }
      | { readonly cn: string; readonly properties?: readonly string[] }
      | { readonly h323: string; readonly properties?: readonly string[] },
      AdminObject & JsonObject
    >;
    UpdateObject: Op<AdminObject & JsonObject, { readonly guid?: string }>;
    DeleteObject: Op<{ readonly guid: string }>;
    SearchUsers: Op<
      { readonly cn: string; readonly includeMatch?: boolean; readonly limit?: number },
      { readonly user: readonly AdminObject[] }
    >;
    GetAppLogin: Op<
      { readonly app: string; readonly challenge: string },
      { readonly app: string; readonly domain?: string; readonly digest: string }
    >;
    CheckAppLic: Op<JsonObject & { readonly lic: string }, { readonly ok?: boolean }>;
  };
  PbxImpersonation: {
    CreateApi: Op<{ readonly sip: string; readonly target: string }, { readonly target: string }>;
    DeleteApi: Op<{ readonly target: string }, { readonly ok?: boolean }>;
  };
  Services: {
    SubscribeServices: Op<None, object, ServicesInfo>;
    UnsubscribeServices: Op<None>;
    GetServiceLogin: Op<{ readonly app: string; readonly challenge: string }, ServiceLoginResult>;
  };
}

export type ApiName = keyof Apis;
export type MessageName<A extends ApiName> = keyof Apis[A] & string;
type Part<A extends ApiName, M extends MessageName<A>, P extends keyof Operation> = Apis[A][M] extends Operation
  ? Apis[A][M][P]
  : never;
export type RequestOf<A extends ApiName, M extends MessageName<A>> = Part<A, M, 'request'>;
export type ResultOf<A extends ApiName, M extends MessageName<A>> = Part<A, M, 'result'>;
export type IndicationOf<A extends ApiName, M extends MessageName<A>> = Part<A, M, 'indication'>;
