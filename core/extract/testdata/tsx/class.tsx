import { Component } from "react";

interface Props {
  open: boolean;
}

export class Panel extends Component<Props, { count: number }> {
  static displayName = "Panel";
  private refs: Record<string, HTMLElement | null> = {};

  state = { count: 0 };

  private handle = (event: React.MouseEvent<HTMLElement>) => {
    this.setState(({ count }) => ({ count: count + 1 }));
    this.log?.(event);
  };

  private log?: (event: unknown) => void;

  render(): JSX.Element {
    const { open } = this.props;
    return (
      <section ref={(node) => { this.refs.main = node; }} onClick={this.handle} hidden={!open}>
        <Panel {...this.props} open={false as boolean} />
      </section>
    );
  }
}
