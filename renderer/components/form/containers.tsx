/** Groups, lists, maps and choices: fields that hold fields. */
import { ActionIcon, Button, Select, Switch, TextInput, Tooltip } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconChevronRight, IconPlus, IconTrash } from '@tabler/icons-react';
import { useId, useState, type ReactNode } from 'react';
import { texts } from '../../app/texts.ts';
import { FieldView } from './field-view.tsx';
import { useForm } from './form-context.ts';
import type { Choice, Field, GroupField, ListField, MapField, OneOfField } from './form-model.ts';
import { ProblemText } from './problem-text.tsx';
import { hasProblem } from './problems.ts';
import { isPlainObject, moveItem, renameKey } from './value-path.ts';
import { withCode } from './with-code.tsx';
import styles from './form.module.css';

const isSingle = (field: Field): boolean => !['group', 'list', 'map', 'oneOf'].includes(field.kind);

export function GroupView({ field, bare }: { field: GroupField; bare: boolean }) {
  const form = useForm();
  const plain = field.fields.filter((inner) => !inner.advanced);
  const advanced = field.fields.filter((inner) => inner.advanced);
  const shown = field.present || !field.optional;
  const body = (
    <>
      {field.choice !== undefined && <ChoiceRow field={field} choice={field.choice} />}
      {shown && plain.map((inner) => <FieldView key={inner.key} field={inner} />)}
      {shown && advanced.length > 0 && <Advanced fields={advanced} />}
      {shown && field.others !== undefined && (field.others.entries.length > 0 || plain.length > 0) && (
        <MapView field={{ ...field.others, label: texts.form.others }} />
      )}
    </>
  );
  if (bare) return <div className={styles.fields}>{body}</div>;
  return (
    <Section
      field={field}
      action={
        field.optional && field.choice === undefined ? (
          <Switch
            size="xs"
            checked={field.present}
            disabled={form.disabled}
            aria-label={texts.form.useGroup(field.label)}
            onChange={(event) => (event.currentTarget.checked ? form.set(field.path, {}) : form.unset(field.path))}
          />
        ) : undefined
      }
    >
      {(shown || field.choice !== undefined) && <div className={styles.fields}>{body}</div>}
    </Section>
  );
}

/** A framed part with its heading, help and problems. */
function Section({ field, action, children }: { field: Field; action?: ReactNode; children?: ReactNode }) {
  const form = useForm();
  const problems = form.problemsOf(field);
  return (
    <fieldset className={styles.section} data-field={field.key}>
      <legend className="visually-hidden">{field.label}</legend>
      <div className={styles.sectionHead}>
        <span className={styles.label} aria-hidden>
          {field.label}
        </span>
        {field.name !== '' && field.name !== field.label && <code className={styles.name}>{field.name}</code>}
        {field.required && field.kind !== 'group' && <span className={styles.tag}>{texts.form.required}</span>}
        <span className={styles.spring} />
        {action}
      </div>
      {field.description !== '' && <p className={styles.help}>{withCode(field.description)}</p>}
      <div aria-live="polite" className={styles.problems}>
        {problems.map((problem, index) => (
          <ProblemText key={index} problem={problem} />
        ))}
      </div>
      {children}
    </fieldset>
  );
}

function Advanced({ fields }: { fields: readonly Field[] }) {
  const form = useForm();
  const [open, setOpen] = useState(false);
  // What is wrong must not hide.
  const forced = fields.some((field) => hasProblem(field, form.problems) && form.problemsOf(field).length > 0);
  const shown = open || forced;
  const id = useId();
  return (
    <div className={styles.advanced}>
      <button
        type="button"
        className={styles.fold}
        aria-expanded={shown}
        aria-controls={id}
        onClick={() => setOpen(!shown)}
      >
        <IconChevronRight size={14} className={shown ? styles.turned : undefined} aria-hidden />
        {texts.form.advanced(fields.length, fields.filter((field) => field.present).length)}
      </button>
      <div id={id} className={styles.fields} hidden={!shown}>
        {shown && fields.map((field) => <FieldView key={field.key} field={field} />)}
      </div>
    </div>
  );
}

function ChoiceRow({ field, choice }: { field: Field; choice: Choice }) {
  const form = useForm();
  const chosen = choice.options[choice.selected];
  const id = `${form.idOf(field)}-choice`;
  return (
    <div className={styles.row} data-choice={field.key}>
      <label htmlFor={id} className={styles.label}>
        {texts.form.choiceOf(field.path.length === 0 ? '' : field.label)}
      </label>
      <div className={styles.controlLine}>
        <Select
          id={id}
          className={styles.input}
          placeholder={texts.form.choose}
          disabled={form.disabled}
          data={choice.options.map((option, index) => ({ value: String(index), label: option.label }))}
          value={choice.selected < 0 ? null : String(choice.selected)}
          clearable={!field.required && field.present}
          allowDeselect={false}
          onChange={(picked) => {
            const option = picked === null ? undefined : choice.options[Number(picked)];
            if (option === undefined) form.unset(field.path);
            else form.choose(field, Number(picked), option.start);
          }}
        />
      </div>
      {chosen !== undefined && chosen.description !== '' && (
        <p className={styles.help}>{withCode(chosen.description)}</p>
      )}
    </div>
  );
}

export function OneOfView({ field }: { field: OneOfField }) {
  return (
    <Section field={field}>
      <div className={styles.fields}>
        <ChoiceRow field={field} choice={field.choice} />
        {field.body !== undefined && <FieldView field={{ ...field.body, description: '' }} bare label={field.label} />}
      </div>
    </Section>
  );
}

export function ListView({ field }: { field: ListField }) {
  const form = useForm();
  const t = texts.form;
  const list = Array.isArray(field.value) ? (field.value as unknown[]) : [];
  const full = field.maxItems !== undefined && list.length >= field.maxItems;
  return (
    <Section
      field={field}
      action={
        <Button
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={form.disabled || full}
          title={full ? t.full(field.maxItems ?? 0) : undefined}
          aria-label={t.add(field.label)}
          onClick={() => form.set(field.path, [...list, field.fresh])}
        >
          {t.addShort}
        </Button>
      }
    >
      {field.items.length === 0 && (
        <p className={styles.none}>
          {field.placeholder === '' || field.present ? t.none : t.defaultIs(field.placeholder)}
        </p>
      )}
      {field.items.map((item, index) => {
        const name = t.item(field.label, index + 1);
        const buttons = (
          <div className={styles.itemButtons}>
            <IconButton
              label={t.moveUp(name)}
              disabled={form.disabled || index === 0}
              onClick={() => form.set(field.path, moveItem(list, index, -1))}
            >
              <IconArrowUp size={14} />
            </IconButton>
            <IconButton
              label={t.moveDown(name)}
              disabled={form.disabled || index === list.length - 1}
              onClick={() => form.set(field.path, moveItem(list, index, 1))}
            >
              <IconArrowDown size={14} />
            </IconButton>
            <IconButton
              label={t.remove(name)}
              disabled={form.disabled}
              onClick={() => (list.length === 1 ? form.unset(field.path) : form.unset([...field.path, index]))}
            >
              <IconTrash size={14} />
            </IconButton>
          </div>
        );
        return (
          <div key={index} className={isSingle(item) ? styles.item : styles.itemCard}>
            {isSingle(item) ? (
              <FieldView field={{ ...item, description: '', examples: [] }} bare label={name} />
            ) : (
              <FieldView field={{ ...item, label: name }} bare={item.kind === 'group'} />
            )}
            {buttons}
          </div>
        );
      })}
    </Section>
  );
}

export function MapView({ field }: { field: MapField }) {
  const form = useForm();
  const t = texts.form;
  const [fresh, setFresh] = useState('');
  const value = isPlainObject(field.value) ? field.value : {};
  const taken = Object.hasOwn(value, fresh.trim());
  const add = (): void => {
    const name = fresh.trim();
    if (name === '' || taken) return;
    form.set([...field.path, name], field.fresh);
    setFresh('');
  };
  return (
    <Section field={field}>
      {field.entries.length === 0 && <p className={styles.none}>{t.none}</p>}
      {field.entries.map(({ name, field: entry }) => (
        <div key={name} className={isSingle(entry) ? styles.mapItem : styles.itemCard}>
          <MapKey
            name={name}
            label={t.mapRename(field.label, name)}
            taken={(next) => Object.hasOwn(value, next)}
            disabled={form.disabled}
            rename={(next) => form.set(field.path, renameKey(value, name, next))}
          />
          {isSingle(entry) ? (
            <FieldView field={{ ...entry, description: '', examples: [] }} bare label={name} />
          ) : (
            <FieldView field={{ ...entry, label: name }} bare={entry.kind === 'group'} />
          )}
          <div className={styles.itemButtons}>
            <IconButton
              label={t.remove(name)}
              disabled={form.disabled}
              onClick={() => form.unset([...field.path, name])}
            >
              <IconTrash size={14} />
            </IconButton>
          </div>
        </div>
      ))}
      <div className={styles.mapAdd}>
        <TextInput
          aria-label={t.mapName(field.label)}
          placeholder={t.mapNameHint}
          value={fresh}
          disabled={form.disabled}
          error={taken ? t.mapNameTaken : undefined}
          onChange={(event) => setFresh(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            add();
          }}
        />
        <Button
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={form.disabled || fresh.trim() === '' || taken}
          aria-label={t.add(field.label)}
          onClick={add}
        >
          {t.addShort}
        </Button>
      </div>
    </Section>
  );
}

/** Renames when left, not at every letter: on the way a name may equal another. */
function MapKey(props: {
  name: string;
  label: string;
  taken: (name: string) => boolean;
  disabled: boolean;
  rename: (name: string) => void;
}) {
  const [draft, setDraft] = useState<string>();
  const next = draft?.trim() ?? props.name;
  const wrong = next !== props.name && props.taken(next);
  const finish = (): void => {
    if (draft !== undefined && next !== '' && next !== props.name && !wrong) props.rename(next);
    setDraft(undefined);
  };
  return (
    <TextInput
      aria-label={props.label}
      value={draft ?? props.name}
      disabled={props.disabled}
      error={wrong ? texts.form.mapNameTaken : undefined}
      classNames={{ input: styles.mono }}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === 'Enter') finish();
      }}
    />
  );
}

function IconButton({
  label,
  disabled,
  onClick,
  children,
}: {
  label: string;
  disabled: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="md" aria-label={label} disabled={disabled} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
