export { BackgroundJob as default } from 'pinstripe-bot';
