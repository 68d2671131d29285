"""The shop under gunicorn. Its counting of views is off: rows would be measured instead of pages."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
application = get_wsgi_application()

from oscar.apps.catalogue.signals import product_viewed  # noqa: E402  # Django comes first

product_viewed.receivers.clear()
