import { Modal, Switch } from '@mantine/core';
import { Fragment } from 'react';
import { usePreferences } from '../preferences.ts';
import { texts } from '../texts.ts';
import styles from './shortcuts.module.css';

const t = texts.shortcuts;

const GROUPS: readonly { title: string; keys: readonly (readonly [string, string])[] }[] = [
  {
    title: t.everywhere,
    keys: [
      ['Ctrl K', t.palette],
      ['?', t.help],
      ['g t', t.goTopology],
      ['g p', t.goPlugins],
      ['g l', t.goLive],
      ['g d', t.goDeadLetters],
      ['[', t.rail],
    ],
  },
  {
    title: t.live,
    keys: [
      ['/', t.filter],
      ['Space', t.pause],
      ['↑ ↓', t.rows],
      ['Enter', t.open],
      ['Esc', t.close],
      ['End', t.newest],
      ['Home', t.oldest],
    ],
  },
];

export function Shortcuts({ opened, close }: { opened: boolean; close: () => void }) {
  const { singleKeys, setSingleKeys } = usePreferences();
  return (
    <Modal opened={opened} onClose={close} title={<h2>{t.title}</h2>} size={620}>
      <div className={styles.groups}>
        {GROUPS.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, text]) => (
                <Fragment key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{text}</dd>
                </Fragment>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch
        label={t.singleKeys}
        description={t.singleKeysHelp}
        checked={singleKeys}
        onChange={(event) => setSingleKeys(event.currentTarget.checked)}
      />
    </Modal>
  );
}
