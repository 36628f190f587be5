/** The control of a single value. Text is taken everywhere: a reference may stand for any value. */
import { ActionIcon, Button, PasswordInput, Select, Switch, Textarea, TextInput, Tooltip } from '@mantine/core';
import { IconCurrencyDollar, IconList } from '@tabler/icons-react';
import { useLayoutEffect, useState, type KeyboardEvent, type ReactNode } from 'react';
import { texts } from '../../app/texts.ts';
import { useForm } from './form-context.ts';
import {
  parseNumber,
  type BooleanField,
  type ConstField,
  type EnumField,
  type JsonField,
  type NumberField,
  type TextField,
} from './form-model.ts';
import { showValue, isReference } from './schema.ts';
import { humanise } from './units.ts';
import { getAt, sameValue } from './value-path.ts';
import styles from './form.module.css';

type Single = TextField | NumberField | BooleanField | EnumField | ConstField | JsonField;

interface ControlProps<F extends Single> {
  readonly field: F;
  readonly label: string;
  readonly id: string;
  readonly describedBy: string;
  readonly invalid: boolean;
}

export function Control(props: ControlProps<Single>) {
  const { field, id, describedBy } = props;
  // Mantine's inputs overwrite aria-describedby with what their own wrapper shows; ours shows it.
  useLayoutEffect(() => {
    const control = document.getElementById(id);
    if (describedBy === '') control?.removeAttribute('aria-describedby');
    else control?.setAttribute('aria-describedby', describedBy);
  });
  switch (field.kind) {
    case 'text':
      return field.secret ? <SecretControl {...props} field={field} /> : <TextControl {...props} field={field} />;
    case 'number':
      return <NumberControl {...props} field={field} />;
    case 'boolean':
      return <OrReference {...props} field={field} control={<BooleanControl {...props} field={field} />} />;
    case 'enum':
      return <OrReference {...props} field={field} control={<EnumControl {...props} field={field} />} />;
    case 'const':
      return (
        <output id={props.id} className={styles.constant}>
          {texts.form.fixed} <code>{showValue(field.constant)}</code>
        </output>
      );
    case 'json':
      return <JsonControl {...props} field={field} />;
  }
}

/** Attributes that every text control has. */
function useInput<F extends Single>({ field, id, invalid }: ControlProps<F>) {
  const form = useForm();
  return {
    id,
    className: styles.input,
    disabled: form.disabled,
    error: invalid,
    spellCheck: false,
    autoComplete: 'off',
    'aria-required': field.required,
    placeholder: field.placeholder === '' ? undefined : field.placeholder,
    onBlur: () => form.touch(field),
  };
}

/** Within a list or a map an empty text is a value; elsewhere it means "not set". */
function useWrite<F extends Single>(field: F): (value: unknown) => void {
  const form = useForm();
  const element = field.name === '';
  return (value) => {
    form.touch(field);
    if (value === undefined || value === '') {
      if (element) form.set(field.path, '');
      else form.unset(field.path);
    } else form.set(field.path, value);
  };
}

function TextControl(props: ControlProps<TextField>) {
  const { field } = props;
  const input = useInput(props);
  const write = useWrite(field);
  const value = showValue(field.value);
  if (field.multiline) {
    return (
      <Textarea
        {...input}
        value={value}
        autosize
        minRows={3}
        maxRows={14}
        onChange={(event) => write(event.currentTarget.value)}
      />
    );
  }
  return <TextInput {...input} value={value} onChange={(event) => write(event.currentTarget.value)} />;
}

function NumberControl(props: ControlProps<NumberField>) {
  const { field } = props;
  const input = useInput(props);
  const write = useWrite(field);
  // What was typed, so that "1." and "1e" can be typed on; the value has the last word.
  const [draft, setDraft] = useState('');
  const text = sameValue(parseNumber(draft), field.value) ? draft : showValue(field.value);
  const take = (next: string): void => {
    setDraft(next);
    write(parseNumber(next));
  };
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const from = typeof field.value === 'number' ? field.value : Number(field.placeholder);
    if (by === undefined || !field.integer || !Number.isFinite(from) || (text === '' && field.placeholder === ''))
      return;
    event.preventDefault();
    const next = Math.min(
      field.max ?? Infinity,
      Math.max(field.min ?? -Infinity, from + by * (event.shiftKey ? 10 : 1)),
    );
    take(String(next));
  };
  const said = typeof field.value === 'number' ? humanise(field.value, field.unit) : '';
  return (
    <>
      <TextInput
        {...input}
        inputMode="decimal"
        value={text}
        className={styles.number}
        onChange={(event) => take(event.currentTarget.value)}
        onKeyDown={step}
      />
      {field.unit !== '' && <span className={styles.unit}>{field.unit}</span>}
      {said !== '' && <span className={styles.unit}>= {said}</span>}
    </>
  );
}

function BooleanControl({ field, id }: ControlProps<BooleanField>) {
  const form = useForm();
  const write = useWrite(field);
  const on = field.present ? field.value === true : field.fallback;
  const word = on ? texts.form.on : texts.form.off;
  return (
    <Switch
      id={id}
      checked={on}
      disabled={form.disabled}
      label={<span className={styles.dim}>{field.present ? word : `${word} ${texts.form.byDefault}`}</span>}
      onChange={(event) => write(event.currentTarget.checked)}
    />
  );
}

function EnumControl(props: ControlProps<EnumField>) {
  const { field } = props;
  const input = useInput(props);
  const write = useWrite(field);
  const foreign = field.present && field.selected < 0;
  const data = [
    ...field.options.map((option, index) => ({ value: String(index), label: option.label })),
    ...(foreign ? [{ value: 'foreign', label: showValue(field.value) }] : []),
  ];
  const fallback =
    field.options.find((option) => showValue(option.value) === field.placeholder)?.label ?? field.placeholder;
  const applies =
    field.options[field.selected] ?? field.options.find((option) => showValue(option.value) === field.placeholder);
  return (
    <>
      <Select
        {...input}
        data={data}
        value={foreign ? 'foreign' : field.selected < 0 ? null : String(field.selected)}
        placeholder={fallback === '' ? texts.form.unset : fallback}
        searchable={data.length > 8}
        limit={200}
        allowDeselect={false}
        aria-label={props.label}
        onChange={(index) => {
          if (index !== null && index !== 'foreign') write(field.options[Number(index)]?.value);
        }}
      />
      {applies !== undefined && applies.description !== '' && (
        <span className={styles.optionText}>{applies.description}</span>
      )}
    </>
  );
}

/** A switch or a list, or, at a button's press, text for a reference in its place. */
function OrReference(props: ControlProps<BooleanField | EnumField> & { control: ReactNode }) {
  const { field, label, control } = props;
  const form = useForm();
  const input = useInput(props);
  const write = useWrite(field);
  const [asText, setAsText] = useState(false);
  const textual = isReference(field.value) || asText;
  const said = textual ? texts.form.useValue(label) : texts.form.useReference(label);
  return (
    <>
      {textual ? (
        <TextInput
          {...input}
          value={typeof field.value === 'string' ? field.value : ''}
          placeholder="${env:NAME}"
          onChange={(event) => write(event.currentTarget.value)}
        />
      ) : (
        control
      )}
      <Tooltip label={said}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="md"
          aria-label={said}
          disabled={form.disabled}
          onClick={() => {
            if (textual && field.present) write(undefined);
            setAsText(!textual);
          }}
        >
          {textual ? <IconList size={15} /> : <IconCurrencyDollar size={15} />}
        </ActionIcon>
      </Tooltip>
    </>
  );
}

function SecretControl(props: ControlProps<TextField>) {
  const { field, label, id } = props;
  const form = useForm();
  const input = useInput(props);
  const write = useWrite(field);
  const before = getAt(form.initial, field.path);
  const [replacing, setReplacing] = useState(false);
  const wasSet = before !== undefined && before !== '';
  if (wasSet && !replacing && sameValue(before, field.value)) {
    return (
      <div className={styles.secret} id={id} role="group" aria-label={label}>
        {/* A reference is no secret; what it stands for is. */}
        <span className={styles.secretSet}>{isReference(before) ? <code>{before}</code> : texts.form.secretSet}</span>
        <Button variant="default" disabled={form.disabled} onClick={() => setReplacing(true)}>
          {texts.form.secretReplace}
        </Button>
        {!field.required && (
          <Button
            variant="subtle"
            color="gray"
            disabled={form.disabled}
            onClick={() => {
              setReplacing(true);
              form.unset(field.path);
            }}
          >
            {texts.form.secretRemove}
          </Button>
        )}
      </div>
    );
  }
  const untouched = wasSet && sameValue(before, field.value);
  return (
    <>
      <PasswordInput
        {...input}
        size="xs"
        autoComplete="new-password"
        autoFocus={replacing}
        value={untouched ? '' : showValue(field.value)}
        onChange={(event) => write(event.currentTarget.value)}
      />
      {wasSet && (
        <Button
          variant="default"
          onClick={() => {
            setReplacing(false);
            form.set(field.path, before);
          }}
        >
          {texts.form.secretKeep}
        </Button>
      )}
    </>
  );
}

function JsonControl(props: ControlProps<JsonField>) {
  const { field } = props;
  const form = useForm();
  const input = useInput(props);
  const [draft, setDraft] = useState<string>();
  const parsed = draft === undefined ? undefined : readJson(draft);
  const wrong = draft !== undefined && draft.trim() !== '' && parsed === undefined;
  const current = field.value === undefined ? '' : JSON.stringify(field.value, null, 2);
  const shown = draft !== undefined && (wrong || sameValue(parsed?.value, field.value)) ? draft : current;
  return (
    <div className={styles.grow}>
      <Textarea
        {...input}
        error={wrong ? texts.form.notJson : input.error}
        value={shown}
        autosize
        minRows={2}
        maxRows={16}
        classNames={{ input: styles.mono }}
        onChange={(event) => {
          const text = event.currentTarget.value;
          setDraft(text);
          const next = readJson(text);
          if (text.trim() === '') form.unset(field.path);
          else if (next !== undefined) form.set(field.path, next.value);
        }}
      />
    </div>
  );
}

function readJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
