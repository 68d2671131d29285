"""The shop under gunicorn. Its counting of views, baskets and orders is off: rows would be measured instead of pages,
and on SQLite they get into each other's way."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
application = get_wsgi_application()

from oscar.apps.analytics.receivers import receive_basket_addition, receive_order_placed  # noqa: E402  # Django first
from oscar.apps.basket.signals import basket_addition  # noqa: E402
from oscar.apps.catalogue.signals import product_viewed  # noqa: E402
from oscar.apps.order.signals import order_placed  # noqa: E402

product_viewed.receivers.clear()
basket_addition.disconnect(receive_basket_addition)
order_placed.disconnect(receive_order_placed)
