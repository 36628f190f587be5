import { Button } from '@mantine/core';
import type { PluginKind } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { sectionOf } from './catalogue.ts';
import styles from './plugins.module.css';

/** One button for each kind an instance can be made of. */
export function AddButtons({ kinds, add }: { kinds: readonly PluginKind[]; add: (kind: PluginKind) => void }) {
  const t = texts.plugins;
  const usable = kinds.filter((kind) => sectionOf[kind] !== undefined);
  return (
    <div className={styles.buttons}>
      {usable.map((kind) => (
        <Button key={kind} onClick={() => add(kind)}>
          {usable.length === 1 ? t.addInstance : t.addKind(texts.common.kinds[kind])}
        </Button>
      ))}
    </div>
  );
}
