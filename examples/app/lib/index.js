import 'pinstripe-bot';
import { importAll } from 'pinstripe';

importAll(import.meta.url);

if (process.argv[2] === 'start-server')
    console.log(`Background jobs: http://${process.env.PINSTRIPE_HOST || '127.0.0.1:3000'}/bot`);
