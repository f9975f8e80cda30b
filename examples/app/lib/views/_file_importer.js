export { View as default } from 'pinstripe';
