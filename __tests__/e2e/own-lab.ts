/**
 * Each of jest's workers has a lab of its own: worker k the k-th of E2E_LABS, numbers with a blank between. Without
 * that there is the one lab that GCELAB says. Runs before each story, in its worker, so before anything asks for a lab.
 */
const labs = (process.env.E2E_LABS ?? process.env.GCELAB ?? '1').split(' ');
const worker = Number(process.env.JEST_WORKER_ID ?? '1');
const own = labs[worker - 1];
if (own === undefined) throw new Error(`worker ${worker} has no lab: there are only ${labs.join(', ')}`);
process.env.GCELAB = own;
