import type { ErrorEntry } from './index.ts';

export const configErrors = {
  PB_CONFIG_CONFLICT: {
    template: 'The config changed meanwhile: version {running} runs, the change was made on {base}',
    cause: 'Someone else applied a change first.',
    remedy: 'Reload the running config and make the change again.',
  },
  PB_CONFIG_UNREADABLE: {
    template: 'The config file {file} cannot be read: {reason}',
    cause: 'The file is missing, is a folder, or the gateway may not read it.',
    remedy: 'Check the path and the permissions of the file, or name another one.',
  },
  PB_CONFIG_TOO_LARGE: {
    template: 'The config is too large: {size}, at most {limit} are read',
    cause: 'The text is not a gateway config, or it carries data that belongs into files of its own.',
    remedy: 'Move data out of the config (`${file:…}` reads a value from a file) or name the right file.',
  },
  PB_CONFIG_TOO_DEEP: {
    template: 'The config is nested too deeply',
    cause: 'The text opens more maps and lists inside one another than any config needs.',
    remedy: 'Check the text at this place: a bracket that is never closed looks like this too.',
  },
  PB_CONFIG_ALIASES: {
    template: 'The aliases (`*name`) of the config unfold into too much data',
    cause: 'Anchors and aliases are nested so that a short text becomes a huge one.',
    remedy: 'Write the repeated parts out, or use fewer aliases.',
  },
  PB_CONFIG_SYNTAX: {
    template: 'Not valid YAML: {reason}',
    cause: 'The text does not follow the rules of YAML 1.2.',
    remedy: 'Correct the text at this place; indentation and unclosed quotes are the usual causes.',
  },
  PB_CONFIG_DUPLICATE_KEY: {
    template: "'{key}' is written twice in the same map, first in line {first}",
    cause: 'A map may hold every key once; only one of the two would count.',
    remedy: 'Remove one of them, or give it another name.',
  },
  PB_CONFIG_KEY: {
    template: 'A key must be plain text',
    cause: 'The key is a list, a map, empty, or the reserved `__proto__`.',
    remedy: 'Write a plain word as the key.',
  },
  PB_CONFIG_NOT_MAP: {
    template: 'The config is {found}, but must be a map beginning with `version: 1`',
    cause: 'The text is empty or is not a gateway config.',
    remedy: 'Begin with `version: 1` and add `sources`, `sinks` and `pipelines`; docs/config.md has an example.',
  },
  PB_CONFIG_NOT_DATA: {
    template: 'The config object cannot be written as data: {reason}',
    cause: 'The object holds something other than maps, lists, text, numbers, booleans and null.',
    remedy: 'Pass plain data without functions, big integers or references to itself.',
  },
  PB_CONFIG_VERSION: {
    template: 'The config has no valid `version`',
    cause: '`version` is missing or is not a whole number from 1 on.',
    remedy: 'Write `version: {supported}` as the first line.',
  },
  PB_CONFIG_NEWER: {
    template: 'The config has version {version}, this gateway reads up to {supported}',
    cause: 'The config was written for a newer Patchbay.',
    remedy: 'Update Patchbay, or go back to the config from before the update (`patchbay config history`).',
  },
  PB_CONFIG_UNKNOWN_KEY: {
    template: "'{key}' is not a key of {place}{hint}",
    cause: 'The key is misspelled, stands at the wrong level, or belongs to another version.',
    remedy: 'Use one of: {known}.',
  },
  PB_CONFIG_MISSING_KEY: {
    template: '{place} needs {key}',
    cause: 'A key without which this part cannot work is not there.',
    remedy: 'Add {key}.',
  },
  PB_CONFIG_TYPE: {
    template: '{place} must be {expected}, but is {found}',
    cause: 'The value is of the wrong type; quotes make text of a number, their absence may make a number of text.',
    remedy: 'Write {expected} here.',
  },
  PB_CONFIG_VALUE: {
    template: '{place} {rule}',
    cause: 'The value is of the right type but outside of what is allowed.',
    remedy: 'Change the value: it {rule}.',
  },
  PB_CONFIG_NAME: {
    template: "'{name}' cannot be a name",
    cause: 'Names appear in file names, metrics and commands.',
    remedy: 'Use 1 to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or digit.',
  },
  PB_CONFIG_DUPLICATE_NAME: {
    template: "'{name}' is already the name of one of the {other}",
    cause: 'Names are unique over all sections: taps, commands and metrics know an instance by its name alone.',
    remedy: 'Rename one of the two.',
  },
  PB_CONFIG_UNKNOWN_INSTANCE: {
    template: "There is no {kind} named '{name}'{hint}",
    cause: 'The pipeline names an instance that no section of the config has.',
    remedy: 'Correct the name, or add the instance under `{section}`.',
  },
  PB_CONFIG_WRONG_KIND: {
    template: "'{name}' is a {found} and cannot stand under `{list}`",
    cause: '`from` takes sources, `through` handlers, `to` sinks.',
    remedy: "Move '{name}' to the list of its kind, or name a {expected} here.",
  },
  PB_CONFIG_EDGE: {
    template: "'{from}' gives {given}, which '{to}' does not take: it takes {taken}",
    cause: 'The types on the two ends of this edge of the pipeline do not fit.',
    remedy: '{fix}',
  },
  PB_CONFIG_UNUSED: {
    template: "No pipeline uses the {kind} '{name}'",
    cause: 'The instance is in the config, but no pipeline leads to or from it.',
    remedy: 'Name it in a pipeline, or remove or disable it.',
  },
  PB_CONFIG_PORT_CLASH: {
    template: "{protocol} port {port} is used twice: by '{name}' on {host} and by {other} on {otherHost}",
    cause: 'Only one of them could listen there.',
    remedy: 'Give one of the two another port.',
  },
  PB_CONFIG_PORT_TAKEN: {
    template: "'{name}' cannot listen on {protocol} {host}:{port}: {reason}",
    cause: 'Another program listens there, the address is not one of this machine, or the port needs more rights.',
    remedy: 'Stop the other program, or give another port.',
  },
  PB_CONFIG_EXPRESSION: {
    template: 'The condition is not valid CEL: {reason} (at character {at})',
    cause: 'The expression is misspelled or uses a field or function that does not exist.',
    remedy: 'Correct the expression; docs/config.md lists the fields a condition sees.',
  },
  PB_CONFIG_NOT_YET: {
    template: '{what} is not built into this version: {instead}',
    cause: 'The key belongs to a feature of a later version.',
    remedy: 'Nothing has to be done; remove the key to silence this.',
  },
  PB_CONFIG_REFERENCE: {
    template: '`{reference}` is not a reference',
    cause: 'References are `${env:NAME}`, `${file:path}` and `${secret:name}`.',
    remedy: 'Use one of these, or write `$${` where the text itself is meant.',
  },
  PB_CONFIG_ENV: {
    template: "The environment variable '{name}' is not set",
    cause: 'The config refers to it, and the gateway was started without it.',
    remedy: 'Set it where the gateway is started, or write the value into the config.',
  },
  PB_CONFIG_FILE: {
    template: "The file '{file}' that the config refers to cannot be used: {reason}",
    cause:
      'The file is missing, unreadable, too large or not text. Relative paths begin at the folder of the config file.',
    remedy: 'Check the path and its permissions.',
  },
  PB_CONFIG_SECRET: {
    template: "There is no secret named '{name}'",
    cause: 'The config refers to a secret that the store of this gateway does not have.',
    remedy: 'Add the secret to the store of this gateway, or correct the name.',
  },
  PB_CONFIG_REFERENCE_VALUE: {
    template: '{place} must be {expected}, and what `{reference}` gives is not',
    cause: 'The value behind the reference does not read as the type this field has.',
    remedy: 'Correct the value behind the reference.',
  },
  PB_CONFIG_MORE: {
    template: '{count} more problems are not listed',
    cause: 'There are more problems than anyone reads.',
    remedy: 'Correct those listed, and check again.',
  },
  PB_CONFIG_EDIT: {
    template: 'The edit at {place} cannot be made: {reason}',
    cause: 'The text at this place has another form than the edit expects.',
    remedy: 'Make the change in the YAML text itself.',
  },
} as const satisfies Record<string, ErrorEntry>;
