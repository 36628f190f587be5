import { BackOffError, ConfigError, NotConnectedError, PatchbayError } from '../plugin-api/errors.ts';
import type { FaultReport } from './wire.ts';

/** An error as it crosses a thread: class names are lost there, so its nature is spelt out. */
export function reportFault(error: unknown): FaultReport {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  if (error instanceof ConfigError)
    return {
      code: error.code,
      message: error.message,
      remedy: error.remedy,
      path: error.path,
      nature: 'config',
      ...stack,
    };
  if (error instanceof NotConnectedError || error instanceof BackOffError)
    return { code: error.code, message: error.message, remedy: error.remedy, nature: 'transient', ...stack };
  if (error instanceof PatchbayError)
    return { code: error.code, message: error.message, remedy: error.remedy, nature: 'other', ...stack };
  return {
    code: 'PB_PLUGIN_THREW',
    message: error instanceof Error ? error.message : String(error),
    remedy: '',
    nature: 'other',
    ...stack,
  };
}

/** The error again, on the other side. */
export function reviveFault(report: FaultReport): PatchbayError {
  if (report.nature === 'config') return new ConfigError(report.code, report.path ?? '', report.message, report.remedy);
  if (report.nature === 'transient')
    return new NotConnectedError(report.message, { code: report.code, remedy: report.remedy });
  return new PatchbayError(report.code, report.message, report.remedy);
}
