/**
 * READMEs of plugins. The lexer's tokens become React elements; nothing becomes markup, HTML
 * in the text is shown as it is written, pictures are named and not loaded, and links lead
 * out only over http, https and mailto.
 */
import { marked, type Token, type Tokens } from 'marked';
import { Fragment, useMemo, type ReactNode } from 'react';
import { CopyButton } from '../../components/copy-button.tsx';
import { texts } from '../../app/texts.ts';
import styles from './markdown.module.css';

const MAX_LENGTH = 200_000;
const MAX_DEPTH = 24;

export function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => marked.lexer(text.slice(0, MAX_LENGTH)), [text]);
  return <div className={styles.markdown}>{blocks(tokens, 0)}</div>;
}

function blocks(tokens: readonly Token[], depth: number): ReactNode {
  return tokens.map((token, index) => <Fragment key={index}>{block(token, depth)}</Fragment>);
}

function block(token: Token, depth: number): ReactNode {
  if (depth > MAX_DEPTH) return token.raw;
  switch (token.type) {
    case 'heading': {
      // The page has its h1; the README's own headings go below it.
      const Heading = `h${Math.min((token as Tokens.Heading).depth + 1, 6)}` as 'h2' | 'h3' | 'h4' | 'h5' | 'h6';
      return <Heading>{inline(token, depth)}</Heading>;
    }
    case 'paragraph':
      return <p>{inline(token, depth)}</p>;
    case 'text':
      return inline(token, depth);
    case 'code': {
      const { text } = token as Tokens.Code;
      return (
        <div className={styles.code}>
          <pre tabIndex={0}>{text}</pre>
          <CopyButton text={text} label={texts.common.copy} />
        </div>
      );
    }
    case 'blockquote':
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, depth + 1)}</blockquote>;
    case 'list': {
      const { ordered, start, items } = token as Tokens.List;
      const content = items.map((item, index) => <li key={index}>{blocks(item.tokens, depth + 1)}</li>);
      return ordered ? <ol start={start === '' ? 1 : start}>{content}</ol> : <ul>{content}</ul>;
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      return (
        <div className={styles.scroll} tabIndex={0} role="group">
          <table>
            <thead>
              <tr>
                {header.map((cell, index) => (
                  <th key={index}>{inline(cell, depth)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <tr key={index}>
                  {row.map((cell, column) => (
                    <td key={column}>{inline(cell, depth)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    }
    case 'hr':
      return <hr />;
    case 'space':
    case 'def':
      return null;
    default:
      return inlineToken(token, depth);
  }
}

function inline(token: object, depth: number): ReactNode {
  const { tokens, text } = token as { tokens?: Token[]; text?: string };
  if (tokens === undefined || depth > MAX_DEPTH) return text ?? '';
  return tokens.map((inner, index) => <Fragment key={index}>{inlineToken(inner, depth + 1)}</Fragment>);
}

function inlineToken(token: Token, depth: number): ReactNode {
  switch (token.type) {
    case 'strong':
      return <strong>{inline(token, depth)}</strong>;
    case 'em':
      return <em>{inline(token, depth)}</em>;
    case 'del':
      return <del>{inline(token, depth)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'br':
      return <br />;
    case 'link': {
      const target = safeLink((token as Tokens.Link).href);
      return target === undefined ? (
        inline(token, depth)
      ) : (
        <a href={target} target="_blank" rel="noopener noreferrer">
          {inline(token, depth)}
        </a>
      );
    }
    case 'image':
      return <span className={styles.image}>[{(token as Tokens.Image).text}]</span>;
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'text':
      return 'tokens' in token ? inline(token, depth) : (token as Tokens.Text).text;
    case 'checkbox':
      return (token as { checked?: boolean }).checked === true ? '☑ ' : '☐ ';
    default:
      return token.raw;
  }
}

/** The link if it may be followed; relative ones lead nowhere in the panel. */
export function safeLink(href: string): string | undefined {
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
