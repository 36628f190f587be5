import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
  YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { isDeepStrictEqual } from 'node:util';
import { CodedError } from '../engine/error.ts';
import type { ConfigEdit } from '../protocol/model.ts';
import { isMap as isData } from './is-map.ts';
import { keepLines } from './keep-lines.ts';
import { parseConfig } from './parse.ts';
import { placeText, type Path } from './problem.ts';

/**
 * Makes `edits`, in order, in a config text. Comments, order, quotes and the lines that are
 * not concerned stay as they are; parents that are missing are made; deleting what is not
 * there does nothing. Throws PB_CONFIG_EDIT when the text is not YAML or has another form than
 * an edit expects, and returns nothing half done.
 */
export function editYaml(text: string, edits: readonly ConfigEdit[]): string {
  const document = readForEdit(text);
  const style = styleOf(text);
  const before = print(document, style);
  for (const edit of edits) {
    const path = edit.path;
    if (path.length === 0) throw refused(path, 'the whole config cannot be replaced by an edit');
    if (path.includes('__proto__')) throw refused(path, '`__proto__` cannot be a key');
    if (edit.op === 'delete') remove(document, path);
    else set(document, path, edit.value);
  }
  return keepLines(text, before, print(document, style));
}

function readForEdit(text: string): Document {
  const { config, problems } = parseConfig(text);
  const [refusal] = problems;
  // An empty text may be edited: it becomes a config.
  const empty = refusal?.code === 'PB_CONFIG_NOT_MAP' || refusal?.code === 'PB_CONFIG_VERSION';
  if (config === undefined && refusal !== undefined && !empty) {
    throw refused([], `the text is not valid: line ${refusal.line ?? 1}: ${refusal.message}`);
  }
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
    logLevel: 'error',
    uniqueKeys: false,
  });
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    document.contents = new YAMLMap() as never;
  if (!isMap(document.contents)) throw refused([], 'the config is not a map');
  return document as unknown as Document;
}

function refused(path: Path, reason: string): CodedError {
  return new CodedError('PB_CONFIG_EDIT', { place: placeText(path), reason }, { place: placeText(path) });
}

function remove(document: Document, path: Path): void {
  const parent = collectionAt(document, path.slice(0, -1), false);
  if (parent === undefined) return;
  const key = path.at(-1);
  if (isSeq(parent) && typeof key === 'number') parent.items.splice(key, 1);
  else if (isMap(parent)) deleteKey(parent, String(key));
}

function set(document: Document, path: Path, value: unknown): void {
  const parent = collectionAt(document, path.slice(0, -1), true, path.at(-1));
  if (parent === undefined) return;
  const key = path.at(-1) as string | number;
  if (value === undefined) {
    remove(document, path);
    return;
  }
  if (isSeq(parent)) {
    if (typeof key !== 'number' || key < 0 || key > parent.items.length)
      throw refused(path, 'the list has no such place');
    parent.items[key] = merged(document, parent.items[key], value);
    return;
  }
  setKey(document, parent, String(key), value);
}

/** The map or list at `path`; made (with everything above it) when `create`. */
function collectionAt(
  document: Document,
  path: Path,
  create: boolean,
  next?: string | number,
): YAMLMap | YAMLSeq | undefined {
  let at: unknown = document.contents;
  for (const [index, part] of path.entries()) {
    if (isAlias(at)) throw refused(path.slice(0, index), 'it is an alias: the change would also be made elsewhere');
    const child = childOf(at, part);
    const empty = child === undefined || child === null || (isScalar(child) && child.value === null);
    if (!empty) {
      at = child;
      continue;
    }
    if (!create) return undefined;
    const following = path[index + 1] ?? next;
    const made = typeof following === 'number' ? document.createNode([]) : new YAMLMap(document.schema);
    // What was said about the empty place stays with what is put there.
    if (isScalar(child) && typeof child.comment === 'string') made.commentBefore = child.comment;
    if (isMap(at)) putKey(document, at, String(part), made);
    else if (isSeq(at) && typeof part === 'number' && part <= at.items.length) at.items[part] = made;
    else throw refused(path.slice(0, index + 1), 'what is above it is neither map nor list');
    at = made;
  }
  if (isAlias(at)) throw refused(path, 'it is an alias: the change would also be made elsewhere');
  if (isMap(at) || isSeq(at)) return at as YAMLMap | YAMLSeq;
  if (!create) return undefined;
  throw refused(path, 'it is a single value, not a map or list');
}

function childOf(at: unknown, part: string | number): unknown {
  if (isMap(at)) return pairOf(at as YAMLMap, String(part))?.value;
  return isSeq(at) && typeof part === 'number' ? at.items[part] : undefined;
}

function pairOf(map: YAMLMap, key: string): YAMLMap['items'][number] | undefined {
  return map.items.find((pair) => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key)) === key);
}

function deleteKey(map: YAMLMap, key: string): void {
  const index = map.items.findIndex((pair) => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key)) === key);
  if (index !== -1) map.items.splice(index, 1);
}

function setKey(document: Document, map: YAMLMap, key: string, value: unknown): void {
  const pair = pairOf(map, key);
  if (pair === undefined) putKey(document, map, key, document.createNode(value, { aliasDuplicateObjects: false }));
  else pair.value = merged(document, pair.value, value);
}

function putKey(document: Document, map: YAMLMap, key: string, node: unknown): void {
  // An empty `{}` grows in lines; braces with something in them stay braces.
  if (map.items.length === 0) {
    map.flow = false;
    // A comment behind `{}` would come to stand behind the new lines.
    if (typeof map.comment === 'string') {
      map.commentBefore = [map.commentBefore, map.comment].filter((one) => typeof one === 'string').join('\n');
      delete map.comment;
    }
  }
  const pair = pairOf(map, key);
  if (pair === undefined) map.items.push(document.createPair(key, node) as never);
  else pair.value = node;
}

/** The node for `value`, keeping as much of `node` (comments, quotes, order) as is the same. */
function merged(document: Document, node: unknown, value: unknown): unknown {
  if (isMap(node) && isData(value)) {
    const map = node as YAMLMap;
    const keys = new Set(Object.keys(value).filter((key) => value[key] !== undefined));
    map.items = map.items.filter((pair) => keys.has(isScalar(pair.key) ? String(pair.key.value) : String(pair.key)));
    for (const key of keys) setKey(document, map, key, value[key]);
    return map;
  }
  if (isSeq(node) && Array.isArray(value)) {
    const old = [...node.items];
    const free = new Set(old.keys());
    const values = value as unknown[];
    const data = old.map((item) => toData(document, item));
    // Same entries keep their node wherever they move to; then what is left is merged place by place.
    const chosen = values.map((item) => {
      const same = [...free].find((index) => isDeepStrictEqual(data[index], item));
      if (same !== undefined) free.delete(same);
      return same;
    });
    node.items = values.map((item, index) => {
      const same = chosen[index];
      if (same !== undefined) return old[same];
      if (free.has(index) && isCollection(old[index])) {
        free.delete(index);
        return merged(document, old[index], item);
      }
      return document.createNode(item, { aliasDuplicateObjects: false });
    });
    return node;
  }
  if (isScalar(node) && (typeof value !== 'object' || value === null)) {
    if (node.value === value) return node;
    const scalar = new Scalar(value);
    if (typeof node.comment === 'string') scalar.comment = node.comment;
    if (typeof node.commentBefore === 'string') scalar.commentBefore = node.commentBefore;
    if (node.spaceBefore === true) scalar.spaceBefore = true;
    if (typeof node.value === 'string' && typeof value === 'string' && node.type !== undefined) scalar.type = node.type;
    return scalar;
  }
  const made = document.createNode(value, { aliasDuplicateObjects: false }) as {
    comment?: string;
    commentBefore?: string;
    spaceBefore?: boolean;
  };
  if (typeof node === 'object' && node !== null) {
    if ('commentBefore' in node && typeof node.commentBefore === 'string') made.commentBefore = node.commentBefore;
    if ('spaceBefore' in node && node.spaceBefore === true) made.spaceBefore = true;
    if ('comment' in node && typeof node.comment === 'string') {
      if (isCollection(made))
        made.commentBefore = [made.commentBefore, node.comment].filter((one) => one !== undefined).join('\n');
      else made.comment = node.comment;
    }
  }
  return made;
}

function toData(document: Document, node: unknown): unknown {
  return typeof node === 'object' && node !== null && 'toJS' in node && typeof node.toJS === 'function'
    ? (node.toJS as (document: Document) => unknown)(document)
    : node;
}

interface Style {
  readonly indent: number;
  readonly indentSeq: boolean;
}

/** How the text is indented, from its first indented line and first list below a key. */
function styleOf(text: string): Style {
  const first = /^\S[^\n]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( +)[^\s#-]/m.exec(text);
  const list = /^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\r?\n( *)- /m.exec(text);
  const indent = first?.[1]?.length ?? 2;
  return {
    indent: indent >= 1 && indent <= 8 ? indent : 2,
    indentSeq: list === null || (list[2]?.length ?? 0) > (list[1]?.length ?? 0),
  };
}

function print(document: Document, style: Style): string {
  return document.toString({ lineWidth: 0, indent: style.indent, indentSeq: style.indentSeq });
}
