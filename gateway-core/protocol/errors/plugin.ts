import type { ErrorEntry } from './index.ts';

export const pluginErrors = {
  PB_PLUGIN_THREW: {
    template: '{plugin} threw: {message}',
    cause: 'The plugin has a fault or met input it does not expect.',
    remedy: 'See the message in the dead letters, and report it to the maker of the plugin.',
  },
  PB_PLUGIN_MISSING: {
    template: "There is no {kind} plugin '{name}'{hint}",
    cause: 'No built-in plugin and none in the plugin folders offers this kind under this name.',
    remedy: 'Correct the name (`patchbay plugins list` shows all), or put the plugin into the plugin folder.',
  },
  PB_PLUGIN_REFERENCE: {
    template: "'{reference}' does not name a plugin",
    cause: 'A plugin is written as `name` or `name@range`, as in `amqp1@^1.2`.',
    remedy: 'Write the name of a plugin in lower case, and after `@` a semantic version range.',
  },
  PB_PLUGIN_VERSION: {
    template: "No version of plugin '{name}' fits {range}; there is {present}",
    cause: 'The config asks for a version that is not installed.',
    remedy: 'Install a version that fits, or change the range behind `@`.',
  },
  PB_PLUGIN_INCOMPATIBLE: {
    template: "Plugin '{name}' {version} is made for {what} {found}, this gateway has {supported}",
    cause: 'The plugin was written for another generation of the plugin interface.',
    remedy: 'Install a version of the plugin for this gateway, or update the gateway.',
  },
  PB_PLUGIN_MANIFEST: {
    template: '{file} of the plugin in {folder} is not valid: {reason}',
    cause: 'The description of the plugin is damaged, incomplete or breaks a rule.',
    remedy: 'Correct the file, or install the plugin again; docs/plugin-guide.md describes it.',
  },
  PB_PLUGIN_SCHEMA: {
    template: "The config schema of {kind} '{contribution}' in {folder} cannot be used: {reason}",
    cause: 'The JSON Schema of the plugin is missing, damaged, or refers to something outside of the plugin.',
    remedy: 'Correct the schema: JSON Schema 2020-12 in one file, references only inside it.',
  },
  PB_PLUGIN_MODULE: {
    template: "{kind} '{contribution}' in {folder} has no module {module}",
    cause: 'The plugin was not copied completely, or `main` in plugin.json names the wrong file.',
    remedy: 'Copy the plugin again, or correct `main`.',
  },
  PB_PLUGIN_DUPLICATE: {
    template: "Plugin '{name}' {version} is there twice: {folder} is not used, {other} is",
    cause: 'Two folders hold the same version of the same plugin.',
    remedy: 'Remove one of the two folders, or give one of them another version.',
  },
  PB_PLUGIN_TOO_LARGE: {
    template: 'The plugin in {folder} is too large: {what}',
    cause: 'Plugins are copied before they are loaded, so their files and bytes are limited.',
    remedy: 'Leave out what the plugin does not need at run time (sources, tests, development packages).',
  },
  PB_PLUGIN_LINK: {
    template: 'The plugin in {folder} has a link that leads out of it: {file}',
    cause: 'Plugins are self-contained: what a link outside leads to could change or vanish under a running gateway.',
    remedy: 'Put the linked files into the plugin folder.',
  },
  PB_PLUGIN_UNREADABLE: {
    template: 'The plugin in {folder} cannot be read: {reason}',
    cause: 'A file of the plugin is missing, unreadable, or neither file, folder nor link.',
    remedy: 'Check the permissions of the folder and what is in it.',
  },
  PB_PLUGIN_CHANGING: {
    template: 'The plugin in {folder} changes while it is read',
    cause: 'Something still writes into the folder.',
    remedy: 'Wait until copying is done; the folder is read again by itself.',
  },
  PB_PLUGIN_NOT_YET: {
    template: "Plugin '{name}' is an external program, which this version does not run yet",
    cause: 'The manifest has `command` instead of JavaScript modules.',
    remedy: 'Use a JavaScript plugin, or a later version of the gateway.',
  },
  PB_PLUGIN_LINEAGE: {
    template: '{plugin} answered {given} messages with {got}',
    cause: 'A handler must give exactly one result per message, at the same place.',
    remedy: 'The messages lie in the dead letters; report it to the maker of the plugin.',
  },
  PB_PLUGIN_RESULT: {
    template: '{plugin} gave {got} for a message',
    cause: 'A handler gave something that is neither a message nor filtered nor refused.',
    remedy: 'The message lies in the dead letters; report it to the maker of the plugin.',
  },
  PB_PLUGIN_IMPORT: {
    template: '{plugin} cannot be loaded: {message}',
    cause: "The plugin's code has a fault, or imports something that is not there.",
    remedy: 'Mend the plugin; the last good version goes on running where there is one.',
  },
  PB_PLUGIN_SHAPE: {
    template: '{plugin}: {message}',
    cause: "The plugin's code does not keep what its plugin.json says.",
    remedy: 'Make the default export and plugin.json say the same.',
  },
  PB_PLUGIN_NONE_HERE: {
    template: 'There is no plugin in {folder}',
    cause: 'The folder does not exist or has no plugin.json.',
    remedy: 'Name the folder that holds plugin.json, or make a plugin with `patchbay plugins new DIR`.',
  },
  PB_PLUGIN_FOLDER_TAKEN: {
    template: '{folder} {reason}',
    cause: 'A new plugin is only written to a folder that is empty or does not exist, so that nothing is overwritten.',
    remedy: 'Name another folder, or empty this one.',
  },
  PB_PLUGIN_FOLDER_NAME: {
    template: "'{name}' is no name for a plugin",
    cause: 'A new plugin is called like its folder, and names of plugins are lower case letters, digits and `-`.',
    remedy: 'Name the folder like the plugin, as in `patchbay plugins new acme-queue --kind sink`.',
  },
  PB_PLUGIN_CRASHED: {
    template: '{plugin} died with this message in its hands',
    cause: 'The message makes the plugin end its thread or loop without end.',
    remedy: 'The message lies in the dead letters; report it to the maker of the plugin.',
  },
} as const satisfies Record<string, ErrorEntry>;
