/** The headless secret store: `<data>/secrets`, encrypted with a key from outside the file. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EventReport } from '../events/report.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { CodedError } from './error.ts';
import { readPrivateFile } from './private-file.ts';

/** Secrets by name; in the app the OS store stands behind the same interface. */
export interface Secrets {
  /** Undefined when there is none. */
  get(name: string): Promise<string | undefined>;
  /** Resolves when it is stored, synced to the disk. */
  set(name: string, value: string): Promise<void>;
  /** True when there was one. */
  delete(name: string): Promise<boolean>;
  /** Sorted; never with values. */
  names(): Promise<readonly string[]>;
}

export interface SecretsOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onEvent?: (event: EventReport) => void;
}

/**
 * The store in a data folder. Opening it reads nothing: a gateway without secrets starts with a
 * damaged file too. Every method rejects with PB_SECRETS_UNREADABLE when the file is there and
 * cannot be read with the key; it is then never overwritten. `set` and `delete` also reject with
 * PB_SECRET_INVALID and PB_SECRETS_UNWRITABLE.
 *
 * The key comes from `PATCHBAY_SECRET_KEY`, else the systemd credential `patchbay-secret-key`,
 * else the file `<data>/secret-key` (0600), made with the first secret.
 */
export function openSecrets(folder: string, options: SecretsOptions = {}): Secrets {
  return new SecretFile(folder, options);
}

/** What the file holds, as JSON. All but `tag` and `data` is authenticated with the data. */
interface Sealed {
  readonly patchbaySecrets: 1;
  readonly kdf: Kdf;
  readonly salt: string;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

/** `hkdf-sha256` for a random key, `scrypt` for whatever a person made up. */
type Kdf = 'hkdf-sha256' | 'scrypt';

const NAME = /^[A-Za-z0-9._-]{1,128}$/;
const LONGEST_VALUE = 65_536;

const scryptKey = promisify(scrypt) as (key: string, salt: Buffer, length: number) => Promise<Buffer>;

class SecretFile implements Secrets {
  private readonly path: string;
  private readonly keyPath: string;
  private readonly env: Readonly<Record<string, string | undefined>>;
  private readonly onEvent: (event: EventReport) => void;
  private values: Map<string, string> | undefined;
  /** One change at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string, options: SecretsOptions) {
    this.path = join(folder, 'secrets');
    this.keyPath = join(folder, 'secret-key');
    this.env = options.env ?? process.env;
    this.onEvent = options.onEvent ?? (() => {});
  }

  async get(name: string): Promise<string | undefined> {
    return (await this.inTurn(() => this.load())).get(name);
  }

  async names(): Promise<readonly string[]> {
    return [...(await this.inTurn(() => this.load())).keys()].toSorted();
  }

  async set(name: string, value: string): Promise<void> {
    if (!NAME.test(name)) throw invalid(name.slice(0, 128), 'the name is not allowed');
    if (value === '' || value.length > LONGEST_VALUE) throw invalid(name, 'the value is empty or too long');
    await this.inTurn(async () => this.store(new Map(await this.load()).set(name, value)));
  }

  delete(name: string): Promise<boolean> {
    return this.inTurn(async () => {
      const values = new Map(await this.load());
      if (!values.delete(name)) return false;
      await this.store(values);
      return true;
    });
  }

  private inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.turn.then(act);
    this.turn = result.catch(() => {});
    return result;
  }

  private async load(): Promise<Map<string, string>> {
    if (this.values !== undefined) return this.values;
    let text: string | undefined;
    try {
      text = await readPrivateFile(this.path, this.onEvent);
    } catch (error) {
      throw this.unreadable(messageOf(error), error);
    }
    if (text === undefined) return new Map();
    const sealed = this.parse(text);
    const key = await this.key();
    if (key === undefined) throw this.unreadable('there is no key');
    try {
      const decipher = createDecipheriv('aes-256-gcm', await derive(key, sealed), Buffer.from(sealed.iv, 'base64'), {
        authTagLength: 16,
      });
      decipher.setAAD(header(sealed));
      decipher.setAuthTag(Buffer.from(sealed.tag, 'base64'));
      const plain = Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()]);
      this.values = new Map(Object.entries(JSON.parse(plain.toString('utf8')) as Record<string, string>));
    } catch {
      // OpenSSL's words for it ("unsupported state") help nobody.
      throw this.unreadable('the key does not fit, or the file was changed');
    }
    return this.values;
  }

  private parse(text: string): Sealed {
    let read: unknown;
    try {
      read = JSON.parse(text);
    } catch {
      throw this.unreadable('the file is damaged');
    }
    const sealed = (typeof read === 'object' && read !== null ? read : {}) as Partial<Record<keyof Sealed, unknown>>;
    if (typeof sealed.patchbaySecrets === 'number' && sealed.patchbaySecrets > 1) {
      throw this.unreadable('it was written by a newer Patchbay');
    }
    const texts = [sealed.salt, sealed.iv, sealed.tag, sealed.data];
    const known = sealed.kdf === 'hkdf-sha256' || sealed.kdf === 'scrypt';
    if (sealed.patchbaySecrets !== 1 || !known || texts.some((part) => typeof part !== 'string')) {
      throw this.unreadable('the file is damaged');
    }
    return read as Sealed;
  }

  private async store(values: Map<string, string>): Promise<void> {
    try {
      const key = (await this.key()) ?? (await this.makeKey());
      // A new salt, and so a new key, for every write: a nonce can never come twice under one key.
      const sealed = {
        patchbaySecrets: 1,
        kdf: isRandom(key) ? 'hkdf-sha256' : 'scrypt',
        salt: randomBytes(16).toString('base64'),
        iv: randomBytes(12).toString('base64'),
      } as const;
      const cipher = createCipheriv('aes-256-gcm', await derive(key, sealed), Buffer.from(sealed.iv, 'base64'));
      cipher.setAAD(header(sealed));
      const plain = JSON.stringify(Object.fromEntries(values));
      const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]).toString('base64');
      const tag = cipher.getAuthTag().toString('base64');
      await writeFileAtomically(this.path, `${JSON.stringify({ ...sealed, tag, data } satisfies Sealed)}\n`);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      const details = { file: this.path, reason: messageOf(error) };
      throw new CodedError('PB_SECRETS_UNWRITABLE', details, { cause: error });
    }
    this.values = values;
  }

  private async key(): Promise<string | undefined> {
    const named = this.env['PATCHBAY_SECRET_KEY']?.trim() ?? '';
    if (named !== '') return named;
    try {
      const credentials = this.env['CREDENTIALS_DIRECTORY'] ?? '';
      // systemd keeps these readable for the service alone, with modes of its own.
      const credential = credentials === '' ? '' : await textOf(join(credentials, 'patchbay-secret-key'));
      if (credential !== '') return credential;
      const kept = (await readPrivateFile(this.keyPath, this.onEvent))?.trim() ?? '';
      return kept === '' ? undefined : kept;
    } catch (error) {
      throw this.unreadable(`the key cannot be read: ${messageOf(error)}`, error);
    }
  }

  private async makeKey(): Promise<string> {
    const made = randomBytes(32).toString('base64url');
    await writeFileAtomically(this.keyPath, `${made}\n`);
    return made;
  }

  private unreadable(reason: string, cause?: unknown): CodedError {
    return new CodedError('PB_SECRETS_UNREADABLE', { file: this.path, reason }, { cause });
  }
}

/** 256 random bits as `makeKey` writes them need no slow derivation. */
function isRandom(key: string): boolean {
  return /^[\w-]{43}$/.test(key);
}

async function derive(key: string, sealed: Pick<Sealed, 'kdf' | 'salt'>): Promise<Buffer> {
  const salt = Buffer.from(sealed.salt, 'base64');
  if (sealed.kdf === 'scrypt') return scryptKey(key, salt, 32);
  return Buffer.from(hkdfSync('sha256', key, salt, 'patchbay secrets', 32));
}

function header({ patchbaySecrets, kdf, salt, iv }: Omit<Sealed, 'tag' | 'data'>): Buffer {
  return Buffer.from(JSON.stringify([patchbaySecrets, kdf, salt, iv]));
}

async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function invalid(name: string, reason: string): CodedError {
  return new CodedError('PB_SECRET_INVALID', { name, reason });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
