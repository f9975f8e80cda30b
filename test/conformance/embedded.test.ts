import { join } from 'node:path';
import { EmbeddedEngine } from '../../lib/engines/embedded/engine.js';
import { makeFolder } from '../support/app_folder.js';
import { testEngine } from './suite.js';

testEngine('embedded', async () => {
    const { root } = await makeFolder();
    return {
        createEngine: () => {
            const engine = new EmbeddedEngine();
            const open = engine.open.bind(engine);
            engine.open = (host) =>
                open({ ...host, journal: { ...host.journal, filename: join(root, 'bot.db') } });
            return engine;
        },
        // The folder is gone when the process ends.
        destroy: () => {},
        patience: 5_000,
    };
});
