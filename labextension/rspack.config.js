// Module ids that do not hash the path of the checkout, so that every checkout builds the same bytes.
module.exports = { optimization: { moduleIds: 'natural' } };
