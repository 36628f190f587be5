/** Draws one field: rows for single values, sections for groups, lists and maps. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { Control } from './controls.tsx';
import { useForm } from './form-context.ts';
import type { Field } from './form-model.ts';
import { GroupView, ListView, MapView, OneOfView } from './containers.tsx';
import { ProblemText } from './problem-text.tsx';
import { withCode } from './with-code.tsx';
import styles from './form.module.css';

/** `bare`: no frame and no heading of its own, for the whole form and for entries that have one. */
export function FieldView({ field, bare = false, label }: { field: Field; bare?: boolean; label?: string }) {
  switch (field.kind) {
    case 'group':
      return <GroupView field={field} bare={bare} />;
    case 'list':
      return <ListView field={field} />;
    case 'map':
      return <MapView field={field} />;
    case 'oneOf':
      return <OneOfView field={field} />;
    default:
      return <Row field={field} label={label ?? field.label} bare={bare} />;
  }
}

type Single = Exclude<Field, { kind: 'group' | 'list' | 'map' | 'oneOf' }>;

/** Label, control, what is wrong, help. `bare`: the label is for screen readers only. */
function Row({ field, label, bare }: { field: Single; label: string; bare: boolean }) {
  const form = useForm();
  const id = form.idOf(field);
  const problems = form.problemsOf(field);
  const help = hints(field);
  const described = [...(help.length > 0 ? [`${id}-help`] : []), ...(problems.length > 0 ? [`${id}-error`] : [])].join(
    ' ',
  );
  const resettable =
    field.present && !field.required && !bare && field.kind !== 'const' && !(field.kind === 'text' && field.secret);
  return (
    <div className={bare ? styles.bareRow : styles.row} data-field={field.key}>
      <div className={bare ? 'visually-hidden' : styles.labelLine}>
        <label htmlFor={id} className={styles.label}>
          {label}
        </label>
        {field.name !== '' && field.name !== label && <code className={styles.name}>{field.name}</code>}
        {field.required && <span className={styles.tag}>{texts.form.required}</span>}
        {field.deprecated && <span className={styles.tagWarn}>{texts.form.deprecated}</span>}
      </div>
      <div className={styles.controlLine}>
        <Control
          field={field}
          label={label}
          id={id}
          describedBy={described}
          invalid={problems.some((problem) => problem.severity === 'error')}
        />
        {resettable && (
          <Tooltip label={texts.form.useDefault(label)}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="md"
              disabled={form.disabled}
              aria-label={texts.form.useDefault(label)}
              onClick={() => form.unset(field.path)}
            >
              <IconArrowBackUp size={15} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <div id={`${id}-error`} aria-live="polite" className={styles.problems}>
        {problems.map((problem, index) => (
          <ProblemText key={index} problem={problem} />
        ))}
      </div>
      {help.length > 0 && (
        <div id={`${id}-help`} className={styles.help}>
          {help}
        </div>
      )}
    </div>
  );
}

function hints(field: Single): ReactNode[] {
  const t = texts.form;
  const parts: ReactNode[] = [];
  if (field.description !== '') parts.push(<p key="d">{withCode(field.description)}</p>);
  const small: ReactNode[] = [];
  if (field.kind === 'number') {
    const { min, max } = field;
    if (min !== undefined && max !== undefined) small.push(t.between(count(min, digits(min)), count(max, digits(max))));
    else if (min !== undefined) small.push(t.atLeast(count(min, digits(min))));
    else if (max !== undefined) small.push(t.atMost(count(max, digits(max))));
  }
  if (field.present && field.placeholder !== '' && field.placeholder.length < 80)
    small.push(t.defaultIs(field.placeholder));
  if (field.kind === 'text' && field.secret) small.push(t.secretHint);
  const other = field.examples.filter((example) => example !== field.placeholder);
  if (other.length > 0 && field.kind !== 'boolean' && field.kind !== 'enum') {
    small.push(
      <span key="e">
        {t.examples}{' '}
        {other.slice(0, 3).map((example, index) => (
          <span key={index}>
            {index > 0 && ', '}
            <code>{example.length > 60 ? `${example.slice(0, 59)}…` : example}</code>
          </span>
        ))}
      </span>,
    );
  }
  if (field.kind === 'json') small.unshift(t.json[field.reason]);
  if (small.length > 0) {
    parts.push(
      <p key="s" className={styles.small}>
        {small.map((item, index) => (
          <span key={index}>{item}</span>
        ))}
      </p>,
    );
  }
  return parts;
}

function digits(value: number): number {
  return String(value).split('.')[1]?.length ?? 0;
}
