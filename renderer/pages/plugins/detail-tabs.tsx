/** The parts of a plugin's page that only show. */
import type { ReactNode } from 'react';
import type { CatalogueEntry, PluginDetail } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { withCode } from '../../components/form/with-code.tsx';
import { referenceRows } from './reference.ts';
import styles from './plugins.module.css';

/** A table that scrolls by itself where it is too wide. */
function Table({ label, head, children }: { label: string; head: readonly string[]; children: ReactNode }) {
  return (
    <div className={styles.tableBox} tabIndex={0} role="group" aria-label={label}>
      <table className={styles.table}>
        <thead>
          <tr>
            {head.map((cell) => (
              <th key={cell} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function ReferenceTab({ entry }: { entry: CatalogueEntry }) {
  const t = texts.plugins.reference;
  return (
    <div className={styles.stack}>
      {entry.contributions.map((contribution) => {
        const rows = referenceRows(contribution.config);
        const title = t.intro(texts.common.kinds[contribution.kind]);
        return (
          <section key={`${contribution.kind} ${contribution.name}`} className={styles.stackTight}>
            <h2>{title}</h2>
            {rows.length === 0 ? (
              <p className={styles.dim}>{texts.form.noConfig}</p>
            ) : (
              <Table label={title} head={Object.values(t.columns)}>
                {rows.map((row) => (
                  <tr key={`${row.name} ${row.when}`}>
                    <td>
                      <code>{row.name}</code>
                    </td>
                    <td className={styles.dim}>{row.type}</td>
                    <td>{row.fallback !== '' && <code>{row.fallback}</code>}</td>
                    <td>
                      {withCode(row.text)}
                      <span className={styles.marks}>
                        {row.required && <span>{t.required}</span>}
                        {row.secret && <span>{t.secret}</span>}
                        {row.advanced && <span>{t.advanced}</span>}
                        {row.when !== '' && <span>{t.when(row.when)}</span>}
                      </span>
                    </td>
                  </tr>
                ))}
              </Table>
            )}
          </section>
        );
      })}
    </div>
  );
}

export function VersionsTab({ entry }: { entry: CatalogueEntry }) {
  const t = texts.plugins;
  const versions = [entry.version, ...entry.versions.filter((version) => version !== entry.version)];
  return (
    <div className={styles.stackTight}>
      <p className={styles.dim}>{t.versionsIntro}</p>
      <ul className={styles.plainList}>
        {versions.map((version, index) => (
          <li key={version}>
            <code>{version}</code> {index === 0 && <span className={styles.dim}>{t.versionInUse}</span>}
          </li>
        ))}
      </ul>
      <p className={styles.facts}>
        <span>{t.folder}</span>
        <code>{entry.folder}</code>
        <CopyButton text={entry.folder} label={texts.common.copy} />
      </p>
    </div>
  );
}

export function PermissionsTab({ detail }: { detail: PluginDetail }) {
  const t = texts.plugins.permissions;
  return (
    <div className={styles.stackTight}>
      <p className={styles.dim}>{t.intro}</p>
      {detail.enforced.length === 0 ? (
        <p>{t.nothingDeclared}</p>
      ) : (
        <Table label={t.intro} head={Object.values(t.columns)}>
          {detail.enforced.map((row) => (
            <tr key={row.permission}>
              <td>{row.permission}</td>
              <td>{row.declared}</td>
              <td>{row.enforced}</td>
            </tr>
          ))}
        </Table>
      )}
      <p className={styles.note}>{t.guardRail}</p>
    </div>
  );
}

export function ErrorsTab({ entry }: { entry: CatalogueEntry }) {
  const t = texts.plugins;
  const errors = entry.manifest.errors ?? [];
  return (
    <div className={styles.stackTight}>
      <p className={styles.dim}>{errors.length === 0 ? t.noErrors : t.errorsIntro}</p>
      {errors.length > 0 && (
        <Table label={t.errorsIntro} head={Object.values(t.errorColumns)}>
          {errors.map((error) => (
            <tr key={error.code}>
              <td>
                <code>{error.code}</code>
              </td>
              <td>{withCode(error.cause)}</td>
              <td>{withCode(error.remedy)}</td>
            </tr>
          ))}
        </Table>
      )}
    </div>
  );
}
