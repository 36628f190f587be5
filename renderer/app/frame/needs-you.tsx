import { Button, Popover, UnstyledButton } from '@mantine/core';
import { IconAlertTriangleFilled, IconArrowRight, IconCircleCheck } from '@tabler/icons-react';
import { useId, useMemo, useState } from 'react';
import { Link } from 'wouter';
import type { NeedsYou } from '../../../gateway-core/protocol/model.ts';
import { withCode } from '../../components/form/with-code.tsx';
import { Since } from '../../components/since.tsx';
import { useMayChange, useTopology } from '../gateway.ts';
import { useKeys } from '../keys.ts';
import { byUrgency, placeOf } from '../needs.ts';
import { texts } from '../texts.ts';
import { DiscardSpool } from './discard-spool.tsx';
import styles from './frame.module.css';

const t = texts.frame;

/** The list of what an operator should look at, the worst first, each with its remedy and the way to it. `n` opens it. */
export function NeedsYouButton({ items, stale }: { items: readonly NeedsYou[]; stale: boolean }) {
  const [opened, setOpened] = useState(false);
  const [discarding, setDiscarding] = useState<string>();
  const title = useId();
  useKeys({ n: () => setOpened(true) });
  const calm = items.length === 0;
  const sorted = useMemo(() => byUrgency(items), [items]);
  const close = (): void => setOpened(false);
  return (
    <>
      <Popover
        position="bottom-end"
        width={520}
        shadow="md"
        trapFocus
        returnFocus
        opened={opened}
        onChange={setOpened}
        middlewares={{ shift: { padding: 8 } }}
      >
        <Popover.Target>
          <UnstyledButton
            className={styles.needs}
            data-calm={calm}
            data-stale={stale}
            title={t.needYouKey}
            onClick={() => setOpened(!opened)}
          >
            {calm ? <IconCircleCheck size={15} aria-hidden /> : <IconAlertTriangleFilled size={14} aria-hidden />}
            {calm ? t.nothingNeedsYou : t.needYou(items.length)}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown className={styles.needsList} tabIndex={0} data-autofocus aria-labelledby={title}>
          <h2 id={title} className={calm ? 'visually-hidden' : undefined}>
            {t.needYouTitle}
          </h2>
          {calm ? (
            <p className={styles.needsCalm}>{t.nothingNeedsYouText}</p>
          ) : (
            <ul>
              {sorted.map((item) => (
                <Need
                  key={`${item.code} ${item.subject}`}
                  item={item}
                  close={close}
                  discard={() => {
                    close();
                    setDiscarding(item.subject);
                  }}
                />
              ))}
            </ul>
          )}
        </Popover.Dropdown>
      </Popover>
      {discarding !== undefined && <DiscardSpool sink={discarding} close={() => setDiscarding(undefined)} />}
    </>
  );
}

function Need({ item, close, discard }: { item: NeedsYou; close: () => void; discard: () => void }) {
  const mayChange = useMayChange();
  const topology = useTopology().value;
  const place = placeOf(item, topology);
  return (
    <li data-need={item.code}>
      <p>
        {item.message.includes(item.subject) || <strong>{item.subject}: </strong>}
        <strong>{item.message}</strong>
      </p>
      <p>{withCode(item.remedy)}</p>
      <div className={styles.needFoot}>
        <span className={styles.dim}>
          <code>{item.code}</code> · {t.since} <Since time={item.since} />
        </span>
        <span className={styles.grow} />
        {item.code === 'PB_SPOOL_ORPHAN' && (
          <Button
            variant="default"
            disabled={!mayChange}
            title={mayChange ? undefined : texts.plugins.readOnly}
            aria-label={`${texts.spools.discard} ${item.subject}`}
            onClick={discard}
          >
            {texts.spools.discard}
          </Button>
        )}
        {place !== undefined && (
          <Button
            variant="default"
            component={Link}
            href={place.path}
            rightSection={<IconArrowRight size={14} aria-hidden />}
            onClick={close}
          >
            {place.kind === 'sinkPlugins' ? t.needAddSink(item.subject) : t.needShow(item.subject)}
          </Button>
        )}
      </div>
    </li>
  );
}
