namespace Turnpike.Payments;

/// <summary>The payment settings in force now; null when nothing is taken. For work that begins without a call: settling, watching chains.</summary>
internal delegate PaymentSettings? CurrentPayments();
