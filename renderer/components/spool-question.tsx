/** What is to become of messages whose sink goes: one choice for each sink. */
import { Radio } from '@mantine/core';
import type { SpoolChoice } from '../../gateway-core/protocol/model.ts';
import { count } from '../app/format.ts';
import { texts } from '../app/texts.ts';
import styles from './spool-question.module.css';

const CHOICES: readonly SpoolChoice[] = ['drain', 'keep', 'discard'];

export type SpoolChoices = Readonly<Record<string, SpoolChoice>>;

export function SpoolQuestion({
  undelivered,
  choices,
  disabled,
  choose,
}: {
  /** Messages by sink. */
  undelivered: Readonly<Record<string, number>>;
  choices: SpoolChoices;
  disabled: boolean;
  choose: (choices: SpoolChoices) => void;
}) {
  const t = texts.spools;
  return (
    <>
      {Object.entries(undelivered).map(([sink, messages]) => (
        <Radio.Group
          key={sink}
          className={styles.question}
          label={messages > 0 ? t.question(sink, count(messages)) : t.questionPassing(sink)}
          value={choices[sink] ?? null}
          onChange={(value) => {
            const choice = CHOICES.find((candidate) => candidate === value);
            if (choice !== undefined) choose({ ...choices, [sink]: choice });
          }}
        >
          <div className={styles.choices}>
            {CHOICES.map((choice) => (
              <Radio
                key={choice}
                value={choice}
                disabled={disabled}
                data-choice={choice}
                label={t.choices[choice]}
                description={t.choiceMeans[choice]}
              />
            ))}
          </div>
        </Radio.Group>
      ))}
    </>
  );
}
