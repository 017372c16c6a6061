import type { Config } from '../config/index.ts';
import type { App, Device, DeviceKind, NewUser, User } from '../core/directory/index.ts';
import type { Grant } from '../core/permissions/index.ts';

/** What the command line does to a store while no server has it. Problems of the core come out as they are. */
export interface Administration extends AsyncDisposable {
  /** False once there is any user. The store and the key exist as soon as this is open. */
  isEmpty(): Promise<boolean>;
  /** @throws name-taken | number-taken */
  addUser(user: NewUser): Promise<User>;
  /** All users, by name. */
  users(): Promise<readonly User[]>;
  /** @throws unknown-user */
  setPassword(name: string, password: string): Promise<void>;
  /** Makes an App object. @throws name-taken */
  addApp(app: NewApp): Promise<App>;
  apps(): Promise<readonly App[]>;
  /** @throws unknown-user | name-taken */
  addDevice(device: NewDevice): Promise<Device>;
  /** Those of one user, or of all. @throws unknown-user */
  devices(user: string | null): Promise<readonly (Device & { readonly userName: string })[]>;
  /** The keys that are here, the one that seals first, then others that something is sealed under. */
  sealedSecrets(): Promise<readonly SealedUnder[]>;
  /** Makes a new key, where a key file is used, and seals anew what former keys have sealed. @returns how many secrets */
  rotateSecrets(): Promise<number>;
}

/** How many secrets one key has sealed. */
export interface SealedUnder {
  /** The key's id: 8 hex digits. */
  readonly key: string;
  readonly isHere: boolean;
  readonly seals: boolean;
  readonly secrets: number;
}

export interface NewApp {
  readonly name: string;
  readonly displayName: string;
  readonly secret: string;
  readonly grants: readonly Grant[];
  readonly url: string | null;
  readonly hasWebsocket: boolean;
  readonly apps: readonly string[];
  readonly users: 'all' | 'listed';
}

export interface NewDevice {
  /** `hw`, also the digest user. */
  readonly id: string;
  /** The owner's name. */
  readonly user: string;
  readonly kind: DeviceKind;
  readonly label: string;
  readonly secret: string;
}

/** Opens the store that the settings name, making it where it is missing. @throws store-in-use while a server has it */
export type OpenAdministration = (config: Config) => Promise<Administration>;
