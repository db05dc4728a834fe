const PropTypes = require("prop-types");
const { Component } = require("react");

class Toggle extends Component {
  static propTypes = { on: PropTypes.bool };
  state = { on: false };

  constructor(props) {
    super(props);
    this.ref = null;
    this.flip = this.flip.bind(this);
  }

  flip() {
    this.setState(({ on }) => ({ on: !on }));
  }

  close = () => this.flip();

  render() {
    const { on } = this.state;
    const items = [1].map((item) => <li key={item}>{item}</li>);
    return (
      <button ref={(node) => (this.ref = node)} onClick={this.flip} onBlur={this.close}>
        {on ? items : <Toggle.Off />}
      </button>
    );
  }
}

Toggle.Off = () => null;

module.exports = Toggle;
