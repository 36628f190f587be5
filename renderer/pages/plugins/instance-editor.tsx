/** Adds an instance or changes one: form, check as one types, plan and diff before saving. */
import { Button, TextInput } from '@mantine/core';
import { IconArrowLeft, IconCheck } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { ConfigDocument } from '../../../gateway-core/protocol/contract.ts';
import type { CatalogueEntry, PluginKind, Problem } from '../../../gateway-core/protocol/model.ts';
import { useAction, useCall, useChanges, useMayChange } from '../../app/gateway.ts';
import { useKeys } from '../../app/keys.ts';
import { texts } from '../../app/texts.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { SchemaForm } from '../../components/form/schema-form.tsx';
import { isPlainObject, pathKey } from '../../components/form/value-path.ts';
import { Loading } from '../../components/loading.tsx';
import {
  checkName,
  contributionFor,
  findInstance,
  kindOf,
  sectionOf,
  suggestName,
  titleOf,
  type Placed,
} from './catalogue.ts';
import { keepDraft, useDrafts } from './drafts.ts';
import {
  addEdits,
  applyEdits,
  aroundSchema,
  changeEdits,
  checkJoining,
  NOT_JOINED,
  readInstance,
  rebase,
  type InstanceDraft,
} from './instance-edits.ts';
import { JoinForm } from './join-form.tsx';
import { DiffView, PlanView } from './plan-view.tsx';
import { useAsTyped } from './use-as-typed.ts';
import styles from './plugins.module.css';

type Target = { readonly mode: 'edit'; readonly name: string } | { readonly mode: 'add'; readonly kind: PluginKind };

interface Props {
  readonly entry: CatalogueEntry;
  readonly target: Target;
  readonly leave: () => void;
}

const CHECK_DELAY = 200;
const PREVIEW_DELAY = 350;

export function InstanceEditor({ entry, target, leave }: Props) {
  const t = texts.plugins.editor;
  const document = useCall('config.get', {});
  const { reload } = document;
  useChanges(
    'config',
    useCallback(() => reload(), [reload]),
  );
  if (document.value === undefined) {
    return document.error === undefined ? <Loading /> : <ErrorPanel error={document.error} retry={reload} />;
  }
  if (target.mode === 'edit' && findInstance(document.value.config, target.name) === undefined) {
    return (
      <EmptyState title={t.gone(target.name)} action={<Button onClick={leave}>{t.back}</Button>}>
        {t.goneText}
      </EmptyState>
    );
  }
  return <Editor entry={entry} target={target} leave={leave} document={document.value} reload={reload} />;
}

function Editor({ entry, target, leave, document, reload }: Props & { document: ConfigDocument; reload: () => void }) {
  const t = texts.plugins.editor;
  const mayChange = useMayChange();
  const adding = target.mode === 'add';
  const draftKey = target.mode === 'edit' ? target.name : '';
  const [kept] = useState(() => (adding ? undefined : useDrafts.getState().drafts.get(draftKey)));
  /** What the draft began from: the newest config can be another by now. */
  const [base, setBase] = useState(kept?.base ?? document);
  const [name, setName] = useState(() => (adding ? suggestName(document.config, entry.name) : target.name));
  const placed: Placed = useMemo(
    () =>
      target.mode === 'edit'
        ? (findInstance(base.config, target.name) ?? { section: 'sources', name: target.name })
        : { section: sectionOf[target.kind] ?? 'sources', name },
    [target, base, name],
  );
  const { section } = placed;
  const kind = kindOf[section];
  const initial = useMemo(
    () => (adding ? { config: {}, around: {} } : (readInstance(base.config, placed) ?? { config: {}, around: {} })),
    [adding, base, placed],
  );
  const [draft, setDraft] = useState<InstanceDraft>(kept ?? initial);
  const [joining, setJoining] = useState(NOT_JOINED);
  const [showAll, setShowAll] = useState(false);
  const [saved, setSaved] = useState<number>();
  const [refusedAt, setRefusedAt] = useState<string>();
  const save = useAction('config.edit');

  const contribution = contributionFor(entry, kind);
  const schema = contribution?.config;
  const custody = contribution?.custody;
  const around = useMemo(() => aroundSchema(section, custody), [section, custody]);
  const nameFault = adding ? checkName(document.config, name) : undefined;
  const joinFault = adding ? checkJoining(base.config, section, joining) : undefined;
  const edits = useMemo(
    () =>
      adding ? addEdits(base.config, placed, entry.name, draft, joining) : changeEdits(base.config, placed, draft),
    [adding, base, placed, entry.name, draft, joining],
  );
  const dirty = edits.length > 0;
  const complete = dirty && nameFault === undefined && joinFault === undefined;
  const checked = useAsTyped(
    'plugins.check',
    { kind, plugin: entry.name, instance: placed.name, config: draft.config },
    CHECK_DELAY,
  );
  const preview = useAsTyped('config.preview', complete ? { edits } : undefined, PREVIEW_DELAY);

  const mine = [section, placed.name];
  const refusal = refusedAt === JSON.stringify(edits) ? problemsOf(save.error?.details) : [];
  const all = unique([...(checked.value?.problems ?? []), ...(preview.value?.problems ?? []), ...refusal]);
  const isMine = (problem: Problem): boolean => mine.every((part, index) => problem.path[index] === part);
  const inConfig = all.filter((problem) => isMine(problem) && problem.path[2] === 'config');
  const inAround = all.filter(
    (problem) => isMine(problem) && (problem.path[2] === 'expect' || problem.path[2] === 'buffer'),
  );
  const outside = all.filter((problem) => !inConfig.includes(problem) && !inAround.includes(problem));
  const errors = all.filter((problem) => problem.severity === 'error').length;

  const change = (next: InstanceDraft): void => {
    setDraft(next);
    setSaved(undefined);
    if (!adding) keepDraft(draftKey, { base, ...next });
  };

  const startAgain = useCallback(
    (from: ConfigDocument, next: InstanceDraft) => {
      setBase(from);
      setDraft(next);
      setRefusedAt(undefined);
      save.clear();
      if (!adding) keepDraft(draftKey, undefined);
    },
    [adding, draftKey, save],
  );

  // Versions only grow. While saving, the newer one may be our own.
  const conflict = document.version > base.version && !save.pending;
  // Nothing typed yet, or nothing yet to disagree with: follow the newest silently.
  if (conflict && (adding || !dirty)) {
    setBase(document);
    const next = adding ? draft : readInstance(document.config, placed);
    if (next !== undefined) setDraft(next);
  }

  const takeIn = (): void => {
    const next = rebase(base.config, document.config, placed, draft);
    if (next === undefined) return;
    startAgain(document, next);
    keepDraft(draftKey, { base: document, ...next });
  };
  const discard = (): void => {
    const next = readInstance(document.config, placed);
    if (next !== undefined) startAgain(document, next);
  };

  const submit = async (): Promise<void> => {
    setShowAll(true);
    if (!mayChange || !complete || conflict || save.pending || (checked.settled && errors > 0)) return;
    setRefusedAt(JSON.stringify(edits));
    const applied = await save.run({
      edits,
      baseVersion: base.version,
      comment: adding ? `add ${placed.name}` : `change ${placed.name}`,
    });
    if (applied === undefined) {
      reload();
      return;
    }
    keepDraft(draftKey, undefined);
    if (adding) leave();
    else {
      setBase({
        ...base,
        version: applied.version,
        config: applyEdits(base.config, edits),
        yaml: preview.value?.yaml ?? base.yaml,
      });
      setSaved(applied.version);
      setShowAll(false);
      reload();
    }
  };
  useKeys({ 'mod+s': () => void submit() });

  useEffect(() => {
    if (!dirty || adding) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [dirty, adding]);

  const wireConflict = save.error?.code === 'PB_CONFIG_CONFLICT';
  const onlyProblems = save.error?.code === 'PB_CONFIG_INVALID' && refusal.length > 0;
  return (
    <div className={styles.editor}>
      <header className={styles.editorHead}>
        <Button variant="subtle" color="gray" leftSection={<IconArrowLeft size={15} />} onClick={leave}>
          {t.back}
        </Button>
        <h1>{adding ? t.addTitle(texts.common.kinds[kind], titleOf(entry)) : t.editTitle(placed.name)}</h1>
        <span className={styles.spring} />
        <span role="status" className={styles.editorState}>
          {saved !== undefined && !dirty ? (
            <span className={styles.saved}>
              <IconCheck size={15} aria-hidden /> {t.saved(saved)}
            </span>
          ) : showAll && errors > 0 ? (
            <span className={styles.bad}>{t.notSaved(errors)}</span>
          ) : dirty && !adding ? (
            t.unsaved
          ) : (
            ''
          )}
        </span>
        {!adding && (
          <Button
            variant="default"
            disabled={!dirty}
            onClick={() => startAgain(document, readInstance(document.config, placed) ?? initial)}
          >
            {t.revert}
          </Button>
        )}
        <Button
          disabled={!mayChange || !dirty || conflict}
          loading={save.pending}
          title={mayChange ? 'Ctrl S' : texts.plugins.readOnly}
          onClick={() => void submit()}
        >
          {adding ? t.add : t.save}
        </Button>
      </header>
      <div className={styles.editorBody}>
        <div className={styles.editorForm}>
          {!mayChange && <p className={styles.note}>{texts.plugins.readOnly}</p>}
          {base.file === '' && <p className={styles.note}>{t.noFile}</p>}
          {conflict && dirty && !adding && (
            <div className={styles.conflict} role="alert">
              <strong>{t.conflict(document.version, base.version)}</strong>
              <p>{t.conflictText}</p>
              <div className={styles.buttons}>
                <Button onClick={takeIn}>{t.takeIn}</Button>
                <Button variant="default" onClick={discard}>
                  {t.discard}
                </Button>
              </div>
            </div>
          )}
          {save.error !== undefined && !onlyProblems && !(wireConflict && conflict) && (
            <ErrorPanel compact error={save.error} />
          )}
          {adding && (
            <TextInput
              label={t.name}
              description={t.nameHelp}
              value={name}
              spellCheck={false}
              autoComplete="off"
              maw={520}
              inputWrapperOrder={['label', 'input', 'error', 'description']}
              classNames={{ description: styles.description }}
              error={
                nameFault === undefined
                  ? undefined
                  : nameFault === 'empty'
                    ? t.nameEmpty
                    : nameFault === 'shape'
                      ? t.nameShape
                      : t.nameTaken(nameFault.taken)
              }
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
          <section className={styles.stackTight}>
            <h2>{t.config}</h2>
            <SchemaForm
              schema={schema}
              value={draft.config}
              initial={initial.config}
              problems={inConfig}
              base={[...mine, 'config']}
              showAll={showAll || !adding}
              disabled={!mayChange}
              onChange={(config) => change({ ...draft, config: config ?? {} })}
            />
          </section>
          {adding && section !== 'executors' && (
            <JoinForm
              config={base.config}
              section={section}
              joining={joining}
              fault={showAll ? joinFault : undefined}
              onChange={setJoining}
            />
          )}
          {around !== undefined && (
            <section className={styles.stackTight}>
              <h2>{section === 'sinks' ? t.aroundSink : t.aroundSource}</h2>
              <SchemaForm
                schema={around}
                value={draft.around}
                initial={initial.around}
                problems={inAround}
                base={mine}
                showAll={showAll || !adding}
                disabled={!mayChange}
                onChange={(next) => change({ ...draft, around: next ?? {} })}
              />
            </section>
          )}
        </div>
        <aside className={styles.editorSide} aria-busy={!preview.settled}>
          <PlanView
            plan={complete && errors === 0 ? preview.value?.plan : undefined}
            problems={complete ? outside : []}
          />
          {preview.error !== undefined && complete && <ErrorPanel compact error={preview.error} />}
          {complete && preview.value !== undefined && <DiffView before={base.yaml} after={preview.value.yaml} />}
        </aside>
      </div>
    </div>
  );
}

function problemsOf(details: unknown): readonly Problem[] {
  if (!isPlainObject(details) || !Array.isArray(details['problems'])) return [];
  return (details['problems'] as unknown[]).filter(
    (item): item is Problem => isPlainObject(item) && typeof item['code'] === 'string' && Array.isArray(item['path']),
  );
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(
    problems.map((problem) => [`${problem.code} ${pathKey(problem.path)} ${problem.message}`, problem]),
  );
  return [...seen.values()];
}
