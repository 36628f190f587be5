import { CodedError } from '../engine/error.ts';

/** SQLite's own code of a thrown thing, as in `SQLITE_FULL`; empty when it is none of SQLite's. */
export function sqliteCode(error: unknown): string {
  if (!(error instanceof Error) || error.name !== 'SqliteError' || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** The file itself is damaged: it can only be set aside. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB');
}

/** What SQLite threw on `file`, as an error of the registry. */
export function storeError(error: unknown, file: string): CodedError {
  if (error instanceof CodedError) return error;
  const code = sqliteCode(error);
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'SQLITE_FULL') return new CodedError('PB_STORE_FULL', { file }, { cause: error });
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM') {
    return new CodedError('PB_STORE_READONLY', { file, reason }, { cause: error });
  }
  if (code !== '') return new CodedError('PB_STORE_IO', { file, reason: `${reason} (${code})` }, { cause: error });
  return new CodedError('PB_INTERNAL', { message: reason }, { cause: error });
}
