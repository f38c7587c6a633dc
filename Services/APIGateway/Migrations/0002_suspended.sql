-- Registrars did not know who is suspended: they are told.
update customers set pending = 'put', updated_at = now() where status = 'suspended' and pending is null;
