import { Component, type ReactNode } from 'react';
import { ErrorPanel } from '../components/error-panel.tsx';
import { texts } from './texts.ts';

interface Props {
  readonly children: ReactNode;
  /** A new value tries again: going elsewhere must not keep the fault on the screen. */
  readonly place: string;
}

/** A screen that fails takes neither the frame nor the others with it. */
export class PageBoundary extends Component<Props, { fault: unknown; place: string }> {
  override state = { fault: undefined as unknown, place: this.props.place };

  static getDerivedStateFromError(fault: unknown): { fault: unknown } {
    return { fault: fault ?? new Error(texts.common.pageFailed) };
  }

  static getDerivedStateFromProps(
    props: Props,
    state: { fault: unknown; place: string },
  ): { fault: unknown; place: string } | null {
    return props.place === state.place ? null : { fault: undefined, place: props.place };
  }

  override render(): ReactNode {
    const { fault } = this.state;
    if (fault === undefined) return this.props.children;
    return (
      <ErrorPanel
        error={{
          code: 'PB_INTERNAL',
          message: `${texts.common.pageFailed}: ${fault instanceof Error ? fault.message : String(fault)}`,
          remedy: texts.common.pageFailedRemedy,
        }}
        retry={() => this.setState({ fault: undefined })}
      />
    );
  }
}
