import { Anchor, Button, FileButton } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { Problem } from '../../../gateway-core/protocol/model.ts';
import { bytes } from '../../app/format.ts';
import { useAction, useCall, useMayChange } from '../../app/gateway.ts';
import { texts } from '../../app/texts.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import styles from './first-run-page.module.css';

const t = texts.firstRun;
const CHECK_AFTER_MS = 350;
const MAX_BYTES = 4_000_000;

/** Offset of a 1-based line and column. */
export function offsetOf(text: string, line: number, column: number): number {
  let offset = 0;
  for (let i = 1; i < line; i++) {
    const end = text.indexOf('\n', offset);
    if (end === -1) return text.length;
    offset = end + 1;
  }
  return Math.min(text.length, offset + column - 1);
}

/** A startup.yaml from a file or the clipboard, checked by the engine before it starts anything. */
export function ImportConfig({ back, done }: { back: () => void; done: () => void }) {
  const [yaml, setYaml] = useState('');
  const [settled, setSettled] = useState('');
  const [tooBig, setTooBig] = useState(0);
  const editor = useRef<HTMLTextAreaElement>(null);
  const mayChange = useMayChange();
  const check = useCall('config.validate', settled.trim() === '' ? undefined : { yaml: settled });
  const setup = useAction('setup.import');

  useEffect(() => {
    const timer = setTimeout(() => setSettled(yaml), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [yaml]);

  const problems = yaml.trim() === '' ? [] : (check.value?.problems ?? []);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const checking = yaml.trim() !== '' && (check.loading || settled !== yaml);
  const ready = yaml.trim() !== '' && !checking && check.error === undefined && errors === 0;

  const read = async (file: File | null): Promise<void> => {
    if (file === null) return;
    setTooBig(file.size > MAX_BYTES ? file.size : 0);
    if (file.size <= MAX_BYTES) setYaml(await file.text());
  };
  const goTo = ({ line, column }: Problem): void => {
    const area = editor.current;
    if (area === null || line === undefined) return;
    const at = offsetOf(yaml, line, column ?? 1);
    const end = yaml.indexOf('\n', at);
    area.focus();
    area.setSelectionRange(at, end === -1 ? yaml.length : end);
    area.scrollTop = (line - 4) * 18.6;
  };
  const importNow = async (): Promise<void> => {
    if ((await setup.run({ yaml })) !== undefined) done();
  };

  return (
    <div className={styles.import}>
      <h1>{t.importTitle}</h1>
      <div className={styles.bar}>
        <FileButton accept=".yaml,.yml,text/yaml" onChange={(file) => void read(file)}>
          {(props) => (
            <Button variant="default" {...props}>
              {t.file}
            </Button>
          )}
        </FileButton>
        <span>{t.paste}</span>
      </div>
      <textarea
        ref={editor}
        className={styles.editor}
        aria-label={t.yaml}
        spellCheck={false}
        value={yaml}
        placeholder={'version: 1\nsources:\n  …'}
        onChange={(event) => setYaml(event.currentTarget.value)}
        aria-invalid={errors > 0}
      />
      {tooBig > 0 && <p className={styles.errorTone}>{t.tooBig(bytes(tooBig))}</p>}
      {check.error !== undefined && <ErrorPanel compact error={check.error} retry={check.reload} />}
      {setup.error !== undefined && <ErrorPanel compact error={setup.error} />}
      {problems.length > 0 && (
        <ul className={styles.problems} aria-label={t.problems(errors, problems.length - errors)}>
          {problems.map((problem, i) => (
            <li key={i} className={styles.problem}>
              {problem.severity === 'error' ? (
                <IconCircleX size={16} className={styles.errorTone} aria-label="error" />
              ) : (
                <IconAlertTriangle size={16} className={styles.warningTone} aria-label="warning" />
              )}
              <strong>{problem.message}</strong>
              {problem.line === undefined ? (
                <code>{problem.path.join('.')}</code>
              ) : (
                <Anchor component="button" type="button" fz="sm" title={t.goTo} onClick={() => goTo(problem)}>
                  {t.at(problem.line, problem.column ?? 1)}
                </Anchor>
              )}
              <p className={styles.remedy}>
                {problem.remedy} <code>{problem.code}</code>
              </p>
            </li>
          ))}
        </ul>
      )}
      <div className={styles.bar}>
        <Button variant="default" onClick={back}>
          {t.back}
        </Button>
        <Button disabled={!ready || !mayChange} loading={setup.pending} onClick={() => void importNow()}>
          {t.importNow}
        </Button>
        <span role="status">
          {checking ? (
            t.checking
          ) : errors > 0 ? (
            <span className={styles.errorTone}>{t.problems(errors, problems.length - errors)}</span>
          ) : ready ? (
            <span className={styles.okTone}>
              <IconCircleCheck size={14} aria-hidden /> {t.fine}
            </span>
          ) : (
            ''
          )}
        </span>
      </div>
    </div>
  );
}
