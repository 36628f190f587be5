import type { YAMLParseError, YAMLWarning } from 'yaml';

/**
 * What a syntax error means, in our words: the parser's own may quote the text, and the text
 * may hold a password.
 */
export const SYNTAX_REASONS = {
  ALIAS_PROPS: 'an alias (`*name`) cannot have an anchor or a tag',
  BAD_ALIAS: 'the alias (`*name`) has no anchor (`&name`) before it; text that begins with `*` or `&` needs quotes',
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'a line that begins with `%` is a directive, and this one is unknown',
  BAD_DQ_ESCAPE: 'unknown escape after `\\` in double quotes; use single quotes where `\\` is meant',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_PROP_ORDER: 'anchor and tag must stand before what they belong to',
  BAD_SCALAR_START: 'text cannot begin with this character without quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second `key:` on the same line; put it on its own line or in quotes',
  BLOCK_IN_FLOW: 'a list or map in lines cannot stand inside of brackets',
  DUPLICATE_KEY: 'the key is written twice',
  IMPOSSIBLE: 'the text cannot be read here',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a closing quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; a `:` may be missing before this',
  MULTIPLE_ANCHORS: 'two anchors on one value',
  MULTIPLE_DOCS: 'a second document (`---`) begins; a config is one document',
  MULTIPLE_TAGS: 'two tags on one value',
  NON_STRING_KEY: 'a key must be text',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'unknown tag; text that begins with `!` needs quotes',
  UNEXPECTED_TOKEN: 'this is not expected here; a quote, bracket or line break before it may be missing or too much',
} as const;

export function syntaxReason(error: YAMLParseError | YAMLWarning): string {
  const reasons: Readonly<Record<string, string>> = SYNTAX_REASONS;
  return reasons[error.code] ?? 'the text cannot be read here';
}
