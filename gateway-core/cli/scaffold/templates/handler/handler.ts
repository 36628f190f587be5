import { decodeText, defineHandler, derive, eachMessage, Refused, type HandlerResult } from 'patchbay/plugin-api';

/** As handler.schema.json says; the gateway has checked it and filled in the defaults. */
export interface Config {
  readonly field: string;
  readonly value: string;
}

/** Bytes, text or a value from upstream as a JSON object; undefined when it is none. */
function objectOf(data: unknown): object | undefined {
  const text = data instanceof Uint8Array ? decodeText(data) : data;
  let value: unknown = text;
  if (typeof text === 'string') {
    try {
      value = JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

export default defineHandler<Config>({
  create(context) {
    let { config } = context;
    return {
      // One result per message: here the same message, changed.
      handle: eachMessage((message): HandlerResult => {
        const object = objectOf(message.data);
        if (object === undefined) return new Refused('EXAMPLE_PLUGIN_NOT_AN_OBJECT', 'the data is not a JSON object');
        return derive(message, { data: { ...object, [config.field]: config.value } });
      }),
      // True: takes a changed config without a restart.
      reconfigure(changed) {
        config = changed;
        return true;
      },
    };
  },
});
