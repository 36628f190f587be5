/**
 * Which of many rows of one fixed height are drawn. With a fixed height this is arithmetic:
 * nothing is measured and nobody but the list itself moves the scroll position.
 */
import { useLayoutEffect, useState, type RefObject } from 'react';

/** Rows drawn beyond each edge, so that scrolling does not show blanks. */
const OVERSCAN = 12;

export interface RowWindow {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

export function rowWindow(scrollTop: number, height: number, row: number, count: number): RowWindow {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / row) - OVERSCAN));
  return { first, end: Math.min(count, Math.ceil((scrollTop + height) / row) + OVERSCAN) };
}

/** Position and height of a scroller, current at every render that a scroll or a resize caused. */
export function useScroll(ref: RefObject<HTMLElement | null>): { top: number; height: number } {
  const [scroll, setScroll] = useState({ top: 0, height: 0 });
  useLayoutEffect(() => {
    const scroller = ref.current;
    if (scroller === null) return;
    const read = (): void => setScroll({ top: scroller.scrollTop, height: scroller.clientHeight });
    read();
    scroller.addEventListener('scroll', read, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(scroller);
    return () => {
      scroller.removeEventListener('scroll', read);
      observer.disconnect();
    };
  }, [ref]);
  return scroll;
}
