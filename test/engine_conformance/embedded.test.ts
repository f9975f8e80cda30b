import { EmbeddedEngine } from '../../lib/engines/embedded.js';
import { testEngine } from './suite.js';

testEngine('embedded', () => new EmbeddedEngine());
