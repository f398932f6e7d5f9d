import { describeReact } from '../../test/react.suite.js';

describeReact('client', '19');
