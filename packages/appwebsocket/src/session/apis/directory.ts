import type { JsonObject } from '../../wire/envelope.ts';
import type { None, Op } from './operation.ts';

/** Column name to what may be done with it. */
export type Columns = Readonly<Record<string, { readonly update?: boolean }>>;
/** One row of `PbxTableUsers` (PBX 7). */
export type TableRow = JsonObject & { readonly guid?: string };

/** A row of the list, or a change of one, with its sequence number `usn` (PBX 7). */
export interface RowChange {
  readonly mt: 'ReplicateAdd' | 'ReplicateUpdate' | 'ReplicateDel' | 'ReplicateNextResult';
  /** Absent in a `ReplicateNextResult`: the end of the list. */
  readonly columns?: TableRow;
  readonly usn?: number;
}

/** `api` `PbxTableUsers` (PBX 7): subscribe with `ReplicateStart`, then `send('ReplicateNext')` row by row. */
export interface PbxTableUsersMessages {
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
}

/** Members that most objects of a PBX have (PBX 0.2, 9). */
export interface AdminObject {
  readonly guid?: string;
  readonly cn?: string;
  readonly dn?: string;
  readonly h323?: string;
  readonly e164?: string;
  readonly node?: string;
  readonly loc?: string;
  readonly apps?: string;
}

type Named = { readonly guid: string } | { readonly cn: string } | { readonly h323: string };
type Licence = Readonly<Record<'name' | 'version' | 'count' | 'used' | 'local' | 'slaves', string>>;

/** `api` `PbxAdminApi` (PBX 9). */
export interface PbxAdminApiMessages {
  GetObject: Op<
    Named & { readonly properties?: readonly string[]; readonly template?: 'with' | 'without' },
    AdminObject & JsonObject
  >;
  /** `guid` absent: create, `*`: find by `cn`, `?`: find or create. */
  UpdateObject: Op<AdminObject & JsonObject, { readonly guid?: string }>;
  DeleteObject: Op<{ readonly guid: string }>;
  SearchUsers: Op<
    { readonly cn: string; readonly includeMatch?: boolean; readonly limit?: number },
    { readonly user: readonly (AdminObject & { readonly emails?: readonly { readonly email: string }[] })[] }
  >;
  GetNodes: Op<
    { readonly limit?: number; readonly last?: string },
    { readonly nodes: readonly { readonly name: string; readonly node: string; readonly loc?: string }[] }
  >;
  GetGroups: Op<None, { readonly groups: readonly string[] }>;
  GetGroup: Op<
    { readonly grp: string },
    { readonly member: readonly (AdminObject & { readonly active?: boolean; readonly dyn?: string })[] }
  >;
  GetRegs: Op<
    { readonly guid: string } | { readonly cn: string },
    { readonly regs: readonly { readonly hw: string; readonly addr: string }[]; readonly cn?: string }
  >;
  GetAppObjects: Op<
    { readonly uri?: string; readonly pseudo?: string },
    {
      readonly objects: readonly {
        readonly title: string;
        readonly app: string;
        readonly url: string;
        readonly connected?: boolean;
        readonly guid: string;
        readonly sip: string;
        readonly pseudo?: string;
      }[];
    }
  >;
  /** In pages: `more`. */
  GetApps: Op<{ readonly more?: string; readonly limit?: number }, { readonly objects: readonly JsonObject[] }>;
  GetConfigObjects: Op<
    { readonly more?: string; readonly limit?: number },
    { readonly objects: readonly JsonObject[] }
  >;
  GetAppLogin: Op<
    { readonly app: string; readonly challenge: string },
    { readonly app: string; readonly domain?: string; readonly digest: string }
  >;
  /** `lic` for example `App(acme-chat)`. */
  CheckAppLic: Op<Named & { readonly lic: string }, { readonly ok?: boolean }>;
  GetAppLics: Op<None, { readonly lic?: readonly Licence[] }>;
  GetPbxLicenses: Op<None, { readonly lic?: readonly Licence[] }>;
  GetPbxConfig: Op<None, { readonly loc: string }>;
  GetLocation: Op<
    { readonly loc: string },
    Readonly<Partial<Record<'loc' | 'http' | 'https' | 'module' | 'dns' | 'addr', string>>>
  >;
  GetNormalizedNumber: Op<Named & JsonObject, { readonly number: string }>;
  MonitorConfig: Op<
    { readonly stop?: boolean },
    object,
    {
      readonly mt: 'MonitorConfigInfo';
      readonly domain?: string;
      readonly pbx?: string;
      readonly dns?: string;
      readonly ip4?: string;
    }
  >;
  MonitorUnallowed: Op<
    { readonly stop?: boolean },
    object,
    {
      readonly mt: 'MonitorUnallowedAdd' | 'MonitorUnallowedDel';
      readonly user: string;
      readonly srcs: readonly { readonly name: string; readonly grp?: boolean }[];
    }
  >;
}
