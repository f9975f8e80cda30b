import 'pinstripe-bot';
import { importAll } from 'pinstripe';

importAll(import.meta.url);
