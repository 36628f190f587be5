import { createSecureContext, type SecureContext } from 'node:tls';
import { ConfigError } from '../plugin-api/errors.ts';
import { errorRegistry, fill } from '../protocol/errors/index.ts';

/** Checks PEM material before any socket is there, so that its fault is one of the config, with a place. */
export function secureContext(
  path: string,
  material: { readonly ca?: string; readonly cert?: string; readonly key?: string },
): SecureContext {
  try {
    return createSecureContext({
      ...(material.ca === undefined ? {} : { ca: material.ca }),
      ...(material.cert === undefined ? {} : { cert: material.cert }),
      ...(material.key === undefined ? {} : { key: material.key }),
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    const { template, remedy } = errorRegistry.PB_AMQP_TLS;
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError('PB_AMQP_TLS', path, fill(template, { why }), remedy, { cause: error });
  }
}
