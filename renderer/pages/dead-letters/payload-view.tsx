import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { LetterPayload } from '../../../gateway-core/protocol/dead-letters.ts';
import { bytes, count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Json } from '../../components/json.tsx';
import { bytesOf, formsOf, hexDump, jsonOf, type PayloadForm } from './payload.ts';
import styles from './dead-letters.module.css';

const t = texts.deadLetters.detail;
const HEX_BYTES = 4096;

/** The payload as JSON, text or hex, whichever it can be. */
export function PayloadView({ payload }: { payload: LetterPayload }) {
  const forms = formsOf(payload);
  const [wanted, setWanted] = useState<PayloadForm>('formatted');
  const form = forms.includes(wanted) ? wanted : forms[0];
  if (form === undefined) {
    return <p className={styles.dim}>{payload.form === 'large' ? t.large(bytes(payload.bytes)) : t.noPayload}</p>;
  }
  const text = 'text' in payload ? payload.text : 'base64' in payload ? payload.base64 : '';
  return (
    <section className={styles.block}>
      <div className={styles.blockHead}>
        <h3>{t.payload}</h3>
        <span className={styles.spring} />
        {forms.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label={t.form}
            data={forms.map((value) => ({ value, label: t.forms[value] }))}
            value={form}
            onChange={(value) => setWanted(value as PayloadForm)}
          />
        )}
        <CopyButton label={t.copyPayload} text={text} />
      </div>
      {form === 'formatted' ? (
        <Json label={t.payload} value={jsonOf(payload)?.value} />
      ) : (
        <pre className={styles.pre} tabIndex={0} role="group" aria-label={t.payload} data-form={form}>
          {form === 'text' ? text : <Hex data={bytesOf(payload)} />}
        </pre>
      )}
    </section>
  );
}

function Hex({ data }: { data: Uint8Array }) {
  return (
    <>
      {hexDump(data, HEX_BYTES)}
      {data.length > HEX_BYTES && `\n${t.hexCut(count(data.length - HEX_BYTES))}`}
    </>
  );
}
