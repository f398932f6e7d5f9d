import { describeReact } from '../../test/react.suite.js';

describeReact('react-18', '18');
