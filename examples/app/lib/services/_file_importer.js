export { ServiceFactory as default } from 'pinstripe';
